"""Walls around the kernel that runs a learner's code: one mechanism a file.

`pick.choose` takes the best mechanism that works here; `inside` is the program that runs
behind the walls; `nursery` is the trusted side that asks it for kernels.
"""
