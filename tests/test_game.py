"""Catch: its rules, its picture, its players, its environment, its window."""

import hashlib
import json
import os
import statistics
import subprocess
import sys
import time

import gymnasium
import numpy as np
import pytest
from conftest import wait_for
from gymnasium.utils.env_checker import check_env

from dlsteps.capture import Keys
from dlsteps.game import (
    LEFT,
    LEVELS,
    RIGHT,
    STAY,
    THEMES,
    Catch,
    CatchEnv,
    Planner,
    RandomPlayer,
    ScriptedPlayer,
    score,
)
from dlsteps.game.catch import FIRST, LAST, PADDLE_SPEED, PADDLE_TOP, RADIUS, SIZE, Faller
from dlsteps.game.policies import REFERENCE, normalise, play


def test_the_paddle_moves_and_stops_at_the_walls():
    game = Catch()
    start = game.paddle
    game.step(LEFT)
    assert game.paddle == start - PADDLE_SPEED
    game.step(STAY)
    assert game.paddle == start - PADDLE_SPEED
    game.step(RIGHT)
    assert game.paddle == start
    for _ in range(100):
        game.step(RIGHT)
    assert game.paddle == LAST
    for _ in range(100):
        game.step(LEFT)
    assert game.paddle == FIRST


def faller(kind, x, y=PADDLE_TOP - RADIUS):
    return Faller(kind, x=x, y=y, vx=0.0, vy=5.0, colour=0)


@pytest.mark.parametrize(
    ("kind", "distance", "reward", "counter"),
    [("ball", 0, 1, "caught"), ("ball", 35, 1, "caught"), ("ball", 36, -1, "missed"), ("stone", 35, -1, "hit"),
     ("stone", 36, 0, None)],
)  # fmt: skip
def test_what_a_landing_is_worth(kind, distance, reward, counter):
    game = Catch()
    game.fallers = [faller(kind, game.paddle + distance)]
    assert game.step(STAY) == reward
    counts = {name: getattr(game, name) for name in ("caught", "missed", "hit")}
    assert counts == {name: int(name == counter) for name in counts}
    assert game.landed == 1


def test_balls_bounce_off_the_walls():
    ball = Faller("ball", x=RADIUS + 1.0, y=0.0, vx=-3.0, vy=1.0, colour=0)
    ball.move()
    assert (ball.x, ball.vx) == (RADIUS, 3.0)
    ball.move()
    assert ball.x == RADIUS + 3


def test_landing_foretells_where_and_when():
    game = Catch(5, level=3)
    ball = game.fallers[0]
    ticks, x = ball.landing()
    for _ in range(ticks):
        assert not ball.landed
        ball.move()
    assert ball.landed
    assert ball.x == x


@pytest.mark.parametrize("level", LEVELS)
def test_a_game_is_a_function_of_its_seed_and_actions(level):
    def frames(seed):
        game = Catch(seed, level)
        return b"".join((game.step(tick % 3), game.frame().tobytes())[1] for tick in range(150))

    assert frames(1) == frames(1)
    assert frames(1) != frames(2)


def test_what_falls_does_not_depend_on_the_player():
    left, right = Catch(3, level=3), Catch(3, level=3)
    for _ in range(500):
        left.step(LEFT)
        right.step(RIGHT)
    assert left.fallers == right.fallers
    assert left.landed == right.landed


def test_the_levels_get_harder():
    assert [(rules.balls, rules.stones) for rules in LEVELS.values()] == [(1, 0), (2, 0), (2, 2)]
    assert LEVELS[1].drift < LEVELS[2].drift < LEVELS[3].drift


PICTURES = {  # sha256 of frame 100 of seed 0 at level 3: the picture is the same on every machine
    "night": "f97e685a30088b25",
    "day": "f9704e750d419d4a",
    "paper": "06a96a4d2b9acdcd",
}


@pytest.mark.parametrize("theme", THEMES)
def test_the_picture_is_the_same_everywhere(theme):
    game = Catch(0, 3, theme)
    for _ in range(100):
        game.step(RIGHT)
    frame = game.frame()
    assert (frame.shape, frame.dtype) == ((SIZE, SIZE, 3), np.uint8)
    assert hashlib.sha256(frame.tobytes()).hexdigest()[:16] == PICTURES[theme]


def test_a_frame_shows_the_paddle_and_the_ball_where_they_are():
    game = Catch(0)
    empty = Catch(0)
    empty.fallers, empty.paddle = [], -100
    game.fallers = [faller("ball", 60.0, y=90.0)]
    changed = (game.frame() != empty.frame()).any(axis=2)
    assert changed[90, 60]
    assert changed[235, game.paddle]
    assert not changed[120:200].any()


def test_frames_do_not_share_memory():
    game = Catch()
    first = game.frame()
    first[:] = 0
    assert game.frame().any()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Catch(level=4), "unknown level 4: choose from 1, 2, 3"),
        (lambda: Catch(theme="nite"), "unknown theme 'nite': choose from 'night', 'day', 'paper'"),
        (lambda: Catch().step(7), "unknown action 7: choose from 0, 1, 2"),
        (lambda: score(RandomPlayer(), level=0), "unknown level 0: choose from 1, 2, 3"),
        (lambda: score(RandomPlayer(), seeds=()), "seeds is empty: name at least one, for example range(5)"),
    ],
)
def test_a_wrong_value_is_named_with_the_choices(call, message):
    with pytest.raises(ValueError, match=f"^{message}$".replace("(", r"\(").replace(")", r"\)")):
        call()


def test_a_number_of_seeds_is_not_seeds():
    with pytest.raises(TypeError, match=r"name the seeds, for example range\(3\)"):
        score(RandomPlayer(), seeds=3)


class Blind:
    """A game that draws nothing, for players that do not look."""

    def __init__(self, game):
        self.game = game

    def __getattr__(self, name):
        return getattr(self.game, name)

    def frame(self):
        return None


def rewards(policy, level, seeds):
    games = [Blind(Catch(seed, level)) for seed in seeds]
    return [play(policy, game) / game.landed for game in games]


@pytest.mark.parametrize("level", LEVELS)
def test_the_reference_scores_are_those_of_the_game(level):
    for player, frozen in zip((RandomPlayer(), ScriptedPlayer()), REFERENCE[level], strict=True):
        assert statistics.fmean(rewards(player, level, range(1000, 1100))) == pytest.approx(frozen, abs=5e-5)


def test_planning_beats_the_scripted_player_where_it_should():
    assert statistics.fmean(rewards(ScriptedPlayer(), 1, range(5))) == 1  # nothing to improve
    greedy, planned = (statistics.fmean(rewards(player, 3, range(5))) for player in (ScriptedPlayer(), Planner()))
    assert planned > greedy + 0.1


def test_score_is_zero_for_random_and_one_for_the_scripted_player():
    assert normalise(REFERENCE[2][0] * 50, 50, level=2) == pytest.approx(0)
    assert score(ScriptedPlayer(), level=1, seeds=range(2)) == (1.0, 0.0)
    mean, spread = score(RandomPlayer(), level=2, seeds=range(4), ticks=600)
    assert -0.5 < mean < 0.5
    assert spread > 0


def test_score_shows_the_policy_frames_and_resets_it():
    seen, games = [], []

    class Watcher:
        def reset(self, game):
            games.append(game.seed)

        def __call__(self, frame):
            seen.append(frame.shape)
            return STAY

    score(Watcher(), seeds=(4, 5), ticks=10)
    assert games == [4, 5]
    assert seen == [(SIZE, SIZE, 3)] * 20


@pytest.mark.parametrize("options", [{}, {"level": 3, "theme": "paper"}])
def test_the_environment_passes_gymnasiums_check(options):
    check_env(gymnasium.make("dlsteps/Catch-v0", **options).unwrapped)


def test_the_environment_works_stacked_and_vectorised():
    stacked = gymnasium.wrappers.FrameStackObservation(gymnasium.make("dlsteps/Catch-v0"), 4)
    assert stacked.reset(seed=0)[0].shape == (4, SIZE, SIZE, 3)
    envs = gymnasium.vector.SyncVectorEnv([lambda: CatchEnv(max_ticks=5)] * 2)
    envs.reset(seed=0)
    ends = [envs.step(np.array([LEFT, RIGHT]))[3].all() for _ in range(5)]
    assert ends == [False] * 4 + [True]
    envs.close()


def test_the_environment_is_the_game():
    env, game = CatchEnv(level=2), Catch(7, level=2)
    observation, info = env.reset(seed=7)
    assert np.array_equal(observation, game.frame())
    for tick in range(200):
        action = tick * 7 % 3
        observation, reward, terminated, truncated, info = env.step(action)
        assert reward == game.step(action)
        assert np.array_equal(observation, game.frame())
        assert not terminated
        assert not truncated
    assert info == {"tick": 200, "caught": game.caught, "missed": game.missed, "hit": 0, "landed": game.landed}


def test_importing_the_package_is_instant():
    code = "import sys; before = set(sys.modules); import dlsteps; print(len(set(sys.modules) - before))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert int(out) <= 2  # dlsteps and nothing heavy


@pytest.mark.desktop
@pytest.mark.parametrize("theme", THEMES)
def test_the_window_shows_exactly_the_frame(start, theme):
    game = Catch(2, 3, theme)
    _, source = start("dlsteps.game.window", "--theme", theme, "--level", 3, "--seed", 2, "--fps", 0.2)
    wait_for(lambda: np.array_equal(source.read().pixels, game.frame()), "the first frame")


@pytest.mark.desktop
def test_the_window_scales_by_whole_numbers(start):
    _, source = start("dlsteps.game.window", "--scale", 2, "--fps", 0.2)
    doubled = Catch().frame().repeat(2, axis=0).repeat(2, axis=1)
    wait_for(lambda: np.array_equal(source.read().pixels, doubled), "the first frame, twice as large")


@pytest.mark.desktop
@pytest.mark.parametrize(("left", "right"), [("left", "right"), ("a", "d")])
def test_the_window_is_played_by_keys(start, tmp_path, left, right):
    log = tmp_path / "log.json"
    process, source = start("dlsteps.game.window", "--log", log)
    with Keys() as keys:
        for held in ((left,), (left, right), (right,)):
            for key in held:
                keys.press(key)
            still = source.read().pixels
            wait_for(lambda still=still: (source.read().pixels != still).any(), "the next frames")
            wait_for(lambda still=still: (source.read().pixels != still).any(), "the next frames")
            time.sleep(0.15)
            keys.release_all()
        keys.press("escape")
        process.wait(5)
    totals = json.loads(log.read_text())
    actions = [row[1] for row in totals["log"]]
    phases = [action for i, action in enumerate(actions) if i == 0 or action != actions[i - 1]]
    assert [phase for phase in phases if phase != STAY] == [LEFT, RIGHT]
    assert totals["tick"] == len(actions)


@pytest.mark.desktop
def test_p_pauses_and_goes_on(start):
    _, source = start("dlsteps.game.window")
    with Keys() as keys:
        keys.press("p")
        keys.release("p")
        wait_for(lambda: "paused" in source.desktop.windows()[0].title, "the title to say paused")
        still = source.read().pixels
        for _ in range(20):
            assert np.array_equal(source.read().pixels, still)
        keys.press("p")
        keys.release("p")
        wait_for(lambda: (source.read().pixels != still).any(), "the game to go on")


def test_without_a_display_the_window_says_so_in_one_line():
    clean = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")}
    run = subprocess.run([sys.executable, "-m", "dlsteps.game.window"], env=clean, capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr.strip().splitlines()[-1].startswith("Catch: no desktop to open a window on")
    assert "Traceback" not in run.stderr
