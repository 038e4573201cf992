"""Catch in a window: arrow keys or A and D move, P pauses, Esc ends. Run with `python course.py play`."""

import argparse
import json
import os
import sys
import time

from dlsteps.game.catch import LEFT, LEVELS, RIGHT, SIZE, STAY, Catch
from dlsteps.game.picture import THEMES


class NoDisplay(RuntimeError):
    """There is no desktop to open a window on."""


def open_window(title, size):
    """Open a pygame window of `size` (width, height) pixels; returns its surface."""
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    os.environ.setdefault("SDL_VIDEO_X11_NET_WM_BYPASS_COMPOSITOR", "0")  # or some desktops flicker
    import pygame

    try:
        pygame.display.init()
    except pygame.error as error:
        raise NoDisplay(f"no desktop to open a window on ({error})") from None
    driver = pygame.display.get_driver()
    if driver in ("offscreen", "dummy"):  # what SDL falls back to, silently
        raise NoDisplay(f"no desktop to open a window on (SDL fell back to its {driver!r} driver)")
    screen = pygame.display.set_mode(size)
    pygame.display.set_caption(title)  # only now: on X11 SDL opens a window, closes it and opens another
    return screen


def run(game, *, fps=60, scale=1, ticks=None, title="Catch", log=None, after_frame=None):
    """Show `game` in a window and play it by keyboard until `ticks`, Esc or the window's close button.

    Args:
        game: a `Catch`.
        fps: ticks a second.
        scale: each pixel of the game becomes scale x scale pixels of the window (1, 2, 3 …).
        log: a list that receives (tick, action, reward, time of the flip in seconds) for every tick.
        after_frame: called with the game each time its picture has been shown.
    """
    screen = open_window(title, (SIZE * scale, SIZE * scale))
    import pygame

    _show(pygame, screen, game, after_frame)
    due = time.perf_counter()
    try:
        while game.tick != ticks:
            due = max(
                due + 1 / fps, time.perf_counter() - 1 / fps
            )  # late by more than a tick: do not hurry to catch up
            time.sleep(max(0, due - time.perf_counter()))
            if not _pump(pygame, title):
                break
            action = _held_action(pygame)
            reward = game.step(action)
            _show(pygame, screen, game, after_frame)
            if log is not None:
                log.append((game.tick, action, reward, time.monotonic()))
    finally:
        pygame.display.quit()


def _show(pygame, screen, game, after_frame):
    picture = pygame.image.frombuffer(game.frame().tobytes(), (SIZE, SIZE), "RGB")
    screen.blit(pygame.transform.scale(picture, screen.get_size()), (0, 0))  # nearest neighbour: pixels stay square
    pygame.display.flip()
    if after_frame is not None:
        after_frame(game)


def _held_action(pygame):
    held = pygame.key.get_pressed()
    right = held[pygame.K_RIGHT] or held[pygame.K_d]
    left = held[pygame.K_LEFT] or held[pygame.K_a]
    if left == right:
        return STAY
    return RIGHT if right else LEFT


def _pump(pygame, title, paused=False):
    """Handle what happened since the last tick; waits while paused. False: the player wants to end."""
    while True:
        for event in pygame.event.get():
            key = event.key if event.type == pygame.KEYDOWN else None
            if event.type == pygame.QUIT or key == pygame.K_ESCAPE:
                return False
            if key == pygame.K_p:
                paused = not paused
                pygame.display.set_caption(f"{title} (paused, P goes on)" if paused else title)
        if not paused:
            return True
        time.sleep(0.02)


def add_arguments(parser):
    """The options that every command which opens the game shares."""
    parser.add_argument("--level", type=int, default=1, choices=LEVELS, help="1 one ball, 2 two balls, 3 stones too")
    parser.add_argument("--theme", default="night", choices=THEMES, help="night, day or paper")
    parser.add_argument("--seed", type=int, default=0, help="which game (0)")
    parser.add_argument("--fps", type=float, default=60, help="ticks a second (60)")
    parser.add_argument(
        "--scale", type=int, default=1, choices=range(1, 9), metavar="N", help="window N times as large"
    )
    parser.add_argument("--ticks", type=int, help="end after so many ticks")
    parser.add_argument("--title", default="Catch", help="the window's title")
    parser.add_argument("--log", metavar="FILE", help="write each tick's action, reward and time as JSON")


def main(arguments, after_frame=None):
    """Play a game from parsed command-line arguments; returns it."""
    game, log = Catch(arguments.seed, arguments.level, arguments.theme), []
    if arguments.log:
        open(arguments.log, "w").close()  # a path that cannot be written is found out before the game, not after
    try:
        run(
            game,
            fps=arguments.fps,
            scale=arguments.scale,
            ticks=arguments.ticks,
            title=arguments.title,
            log=log,
            after_frame=after_frame,
        )
    finally:
        if arguments.log:
            totals = {name: getattr(game, name) for name in ("tick", "caught", "missed", "hit", "landed")}
            with open(arguments.log, "w", encoding="utf8") as file:
                json.dump(totals | {"log": log}, file)
    return game


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m dlsteps.game.window", description=__doc__)
    add_arguments(parser)
    try:
        main(parser.parse_args())
    except NoDisplay as error:
        sys.exit(f"Catch: {error}")
