"""What staff may do for a customer who came with an ID card: search, understand, propose, consent."""
