"""Where the bank is: finding an outlet, when it is open, and booking a time there."""
