# A container to grade in: students' code sees the submissions, the course and nothing else (README, "Teaching a class").
FROM python:3.12-slim
COPY . /course
RUN pip install -e "/course[class]" -c /course/constraints.txt
ENTRYPOINT ["python", "-m", "dlsteps", "grade"]
