"""What beat asks for does not pile up where nobody takes it."""

from tests.integration.nodes.gateway import Gateway


def test_chores_that_nobody_takes_do_not_fill_redis(resting: Gateway) -> None:
    program = "from workers.chores import wake\nfor _ in range(30): wake.apply_async()"
    done = resting.python(program, SMSGATE_REDIS_URL=resting.redis_url)
    assert done.returncode == 0, done.stderr
    assert resting.redis.llen("sms.chores") == 10
