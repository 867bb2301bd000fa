"""Who holds which card: the bank's own system, or the embedded one that keeps its data beside ours."""
