"""The lab: a server on this machine, and a page where one sees a network learn. See docs/lab.md."""
