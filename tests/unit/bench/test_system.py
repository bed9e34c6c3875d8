from bench.system import line


def test_a_process_is_started_as_the_procfile_starts_it() -> None:
    assert line("beat") == ["/bin/sh", "-c", "exec celery -A workers beat --pidfile= --loglevel INFO"]


def test_an_option_of_the_procfile_can_be_changed() -> None:
    command = line("otp", concurrency="8", n="otp1@bench")[-1]
    assert "--concurrency 8 " in command
    assert " -n otp1@bench " in command
    assert "SMSGATE_OTP_CONCURRENCY" not in command


def test_an_option_that_the_procfile_lacks_is_added() -> None:
    assert line("receipts", max_tasks_per_child="9")[-1].endswith(" --max-tasks-per-child 9")
