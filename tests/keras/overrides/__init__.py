"""Subclasses as users write them, each of which overrides a method: what happens is compared with Keras.

A case is a function of the library, which is Keras or Portanet, of `seen`, which it calls in methods that are to be
called, and of a folder for files. It returns what the methods have an effect on.
"""
