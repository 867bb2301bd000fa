"""Faces: which models, where they come from, and the engine that looks with them.

Nothing here is imported unless face is wanted: numpy, OpenCV and onnxruntime are the optional extra `face`.
"""
