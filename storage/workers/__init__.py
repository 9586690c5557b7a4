"""Worker processes, in which untrusted files may crash, hang or use all memory."""
