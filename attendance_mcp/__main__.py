"""`python -m attendance_mcp` is the command `attendance-mcp`."""

from attendance_mcp.cli import main

if __name__ == "__main__":
    main()
