"""The school's rules, pure: what a code means, which days are school days, how a rate is worked out."""
