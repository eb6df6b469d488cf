"""Exit status of every command."""

EXIT_OK, EXIT_OTHER, EXIT_WRONG_INPUT, EXIT_INFEASIBLE, EXIT_NO_PLAN = 0, 1, 2, 3, 4
