"""What the project costs, measured in one run: tokens, calls, requests, time and memory, beside a generated server."""
