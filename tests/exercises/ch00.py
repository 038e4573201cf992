"""Answers to the exercises of lesson 00."""

import math

import numpy as np

from dlsteps import game


def divide_with_remainder(samples, batch_size, epochs):
    full, rest = divmod(samples, batch_size)
    return (full + (rest > 0)) * epochs


def forget_return(samples, batch_size, epochs):
    math.ceil(samples / batch_size) * epochs


def stay_near(ball_x, paddle_x, room=8):
    if ball_x < paddle_x - room:
        return game.LEFT
    return game.RIGHT if ball_x > paddle_x + room else game.STAY


def forget_to_stay(ball_x, paddle_x):
    if ball_x > paddle_x + 6:
        return game.RIGHT
    if ball_x < paddle_x - 6:
        return game.LEFT


RIGHT = {
    "0.1": [
        lambda samples, batch_size, epochs: math.ceil(samples / batch_size) * epochs,
        lambda samples, batch_size, epochs: np.ceil(samples / batch_size).astype(int) * epochs,
        lambda samples, batch_size, epochs: len(range(0, samples, batch_size)) * epochs,
        lambda samples, batch_size, epochs: (samples + batch_size - 1) // batch_size * epochs,
        divide_with_remainder,
    ],
    "0.2": [
        stay_near,
        lambda ball_x, paddle_x: 1 + int(np.sign(round((ball_x - paddle_x) / 6))),
        lambda ball_x, paddle_x: 1 + (ball_x > paddle_x + 5) - (ball_x < paddle_x - 5),
    ],
}
WRONG = {
    "0.1": [
        ("an incomplete batch is dropped", lambda n, size, epochs: n // size * epochs, "short batch"),
        ("one more is always added", lambda n, size, epochs: (n // size + 1) * epochs, "full batches"),
        ("the epochs are forgotten", lambda n, size, epochs: -(-n // size), "epochs"),
        ("the epochs are added", lambda n, size, epochs: -(-n // size) + epochs, "full batches"),
        ("the fraction is kept", lambda n, size, epochs: n / size * epochs, "type"),
        ("the fraction is rounded to the nearest", lambda n, size, epochs: round(n / size) * epochs, "short batch"),
        ("it is rounded over all epochs", lambda n, size, epochs: math.ceil(n * epochs / size), "each epoch"),
        ("nothing is returned", forget_return, "no return"),
        ("it takes other arguments", lambda n, size: -(-n // size), "raised"),
        ("what it returns is handed over, not the function", 30, "not this"),
    ],
    "0.2": [
        ("it never moves", lambda ball_x, paddle_x: game.STAY, "stands still"),
        ("left and right are swapped", lambda ball_x, paddle_x: 0 if ball_x > paddle_x else 2, "swapped"),
        ("it names the action in words", lambda ball_x, paddle_x: "left", "not an action"),
        ("it returns the direction", lambda ball_x, paddle_x: int(np.sign(ball_x - paddle_x)), "not an action"),
        ("it returns the distance", lambda ball_x, paddle_x: ball_x - paddle_x, "not an action"),
        ("nothing is returned for staying", forget_to_stay, "not an action"),
        ("it is always on the move", lambda ball_x, paddle_x: 2 if ball_x > paddle_x else 0, "trembles"),
        ("it follows to one side only", lambda ball_x, paddle_x: 2 if ball_x > paddle_x else 1, "score"),
        ("it stays when far too far away", lambda ball_x, paddle_x: stay_near(ball_x, paddle_x, 45), "score"),
        ("it compares with the middle of the picture", lambda ball_x, _: stay_near(ball_x, 128), "score"),
        ("it goes to where the ball is in a mirror", lambda ball_x, paddle_x: stay_near(paddle_x, ball_x), "swapped"),
    ],
}
ROOM = "a paddle 52 pixels wide catches the ball with a little more or less room, too"
EQUIVALENT = {
    "0.2": {
        "if abs(ball_x - paddle_x) < 6: -> if abs(ball_x - paddle_x) <= 6:": ROOM,
        "if abs(ball_x - paddle_x) < 6: -> if abs(ball_x - paddle_x) < 7:": ROOM,
        "if abs(ball_x - paddle_x) < 6: -> if abs(ball_x - paddle_x) < 5:": ROOM,
        "return RIGHT if ball_x > paddle_x else LEFT -> return RIGHT if ball_x >= paddle_x else LEFT": (
            "where the two are equal, STAY was returned before"
        ),
    },
}
