"""The scales on which targets are expressed, so that every kind of data makes comparable examples."""

COSINE_SCALE = 20.0  # a cosine times this is a target logit: 0.05 apart is 1 apart
GAIN = 6.0  # the target logit of the highest grade
RUN_SPREAD = 2.0  # standard deviation of a run's targets: its own scale says nothing
QUESTION_BONUS = 3.0  # what a passage gains, as a target logit, for having asked the question
FIRST_STAGE_SHARE = 0.25  # what the first stage's opinion adds to a judged target
MIDDLE_COSINE = 0.5  # of this cosine the logit is 0, so that a loss on absolute scores has little to shift
