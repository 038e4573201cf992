"""Lesson 00, start here."""

from dlsteps.exercises.engine import Exercise
from dlsteps.game import Catch
from dlsteps.game.policies import normalise


def count_steps(samples, batch_size, epochs):
    batches = 0
    while samples > 0:
        samples -= batch_size
        batches += 1
    return batches * epochs


def judge_player(answer):
    """Let it play; its score has to be near the scripted player's."""
    scores = []
    for seed in (11, 12, 13):
        game, reward = Catch(seed), 0.0
        for _ in range(900):
            ball = game.fallers[0].x
            action = answer(ball, game.paddle)
            if action not in (0, 1, 2):
                return {
                    "en": f"with the ball at {ball:.0f} and the paddle at {game.paddle} it returned {action!r}: "
                    "choose from LEFT, STAY, RIGHT (0, 1, 2)",
                    "zh": f"球在 {ball:.0f}、球拍在 {game.paddle} 时返回了 {action!r}：只能是 LEFT、STAY、RIGHT（0、1、2）",
                }
            reward += game.step(action)
        scores.append(normalise(reward, game.landed, 1))
    mean = sum(scores) / len(scores)
    if mean > 0.9:
        return None
    return {
        "en": f"its score is {mean:.2f} over {len(scores)} games; a player that follows the ball has more than 0.90",
        "zh": f"{len(scores)} 局的平均得分是 {mean:.2f}；跟着球走的玩家得分应高于 0.90",
    }


EXERCISES = {
    "0.1": Exercise(
        cases=((64, 64, 1), (65, 64, 1), (63, 64, 1), (100, 10, 3), (3585, 64, 10), (1, 8, 5)),
        expected=count_steps,
        hints={
            "en": [
                "One batch, one step. How many batches hold 65 samples if 64 fit into one?",
                "The last batch may be short, but it is a batch: round up, then multiply by the epochs.",
                "math.ceil(samples / batch_size) * epochs",
            ],
            "zh": [
                "一个批量走一步。一个批量装 64 个样本，65 个样本要几个批量？",
                "最后一个批量可以不满，但也算一个：先向上取整，再乘以轮次数。",
                "math.ceil(samples / batch_size) * epochs",
            ],
        },
    ),
    "0.2": Exercise(
        judge=judge_player,
        hints={
            "en": [
                "Three cases: the ball is left of the paddle, right of it, or above it.",
                "A smaller x is further left. Go LEFT while ball_x is smaller than paddle_x.",
                "Stay only when the two are within a few pixels: if abs(ball_x - paddle_x) < 6: return STAY",
            ],
            "zh": [
                "分三种情况：球在球拍左边、右边，或者正上方。",
                "x 越小越靠左。只要 ball_x 小于 paddle_x，就往 LEFT 走。",
                "只有两者相差几个像素以内才停：if abs(ball_x - paddle_x) < 6: return STAY",
            ],
        },
    ),
}
