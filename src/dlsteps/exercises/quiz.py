"""quiz: a multiple choice whose every answer is explained. The question and its choices stand in the lesson."""

import html

from dlsteps.exercises.engine import find_quiz
from dlsteps.exercises.messages import language
from dlsteps.exercises.store import OPEN, RIGHT, WRONG


def quiz(number, solved=False):
    """Show a button for each choice of quiz `number`, such as "0.a"; pressing one says whether it is right, and why.

    Where there are no widgets, only the choices are shown; the solutions edition has the answers. With `solved`, print
    what each button would say.
    """
    choices = find_quiz(number).why[language()]
    if solved:
        print("\n".join(explanation(number, choice) for choice in choices))
        return
    from IPython.display import display
    from ipywidgets import HTML, ToggleButtons, VBox

    class Choices(VBox):
        def _repr_mimebundle_(self, **options):
            return super()._repr_mimebundle_(**options) | {"text/plain": f"{OPEN} {number}  {' · '.join(choices)}"}

    buttons, answer = ToggleButtons(options=list(choices), value=None), HTML()
    buttons.style.button_width = "4em"

    def explain(change):
        answer.value = html.escape(explanation(number, change["new"]))

    buttons.observe(explain, "value")
    display(Choices([buttons, answer]), metadata={"has_text": True})  # the builder keeps the text


def explanation(number, choice):
    """What is said to a choice, one line."""
    asked = find_quiz(number)
    return f"{RIGHT if choice == asked.right else WRONG} {choice}: {asked.why[language()][choice]}"
