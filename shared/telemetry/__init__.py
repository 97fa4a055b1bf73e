"""What a process tells about itself: traces, logs and metrics, taken at its edges."""
