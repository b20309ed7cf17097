"""The process and its machine: output, libraries that write files of their own, hardware."""
