"""Layers of several arrays that give one."""
