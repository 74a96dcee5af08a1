"""Worker processes and what confines them: resource limits, Landlock and seccomp."""
