"""Did a number change hands lately? The networks' own service, and one in this process for the demo."""
