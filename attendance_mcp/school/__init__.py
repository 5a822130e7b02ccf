"""One school as one caller sees it: what is read of it, remembered, and not read."""
