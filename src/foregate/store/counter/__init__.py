"""Staff, proposals and permits, as they are kept."""
