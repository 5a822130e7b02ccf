"""A write, from plan to journal: plan.py computes and stores, approval.py asks, apply.py carries out and reads back."""
