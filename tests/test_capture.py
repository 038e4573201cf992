import time


def test_smoke(start):
    process, source = start("dlsteps.game.window", "--ticks", 300)
    assert source.read().pixels.shape == (256, 256, 3)
