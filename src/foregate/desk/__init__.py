"""The desk: runs a journey. It asks the engine what comes next, spends the try, compares, writes, answers.

doors call the desk; the desk calls proofs, acts and the store; the engine decides. Nobody else opens a transaction
for a visitor.
"""
