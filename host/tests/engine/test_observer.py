async def test_an_observer_is_told_of_every_attempt_with_its_request(connect, vendor):
    vendor.script = [503, {"n": 7}]
    seen = []
    async with connect(observer=seen.append) as shop:
        answer = await shop.call("shop.Read")
    told = [(facts.operation, facts.attempts[-1].number, facts.status) for facts in seen]
    assert told == [("shop.Read", 1, 503), ("shop.Read", 2, 200)]
    assert {facts.request_id for facts in seen} == {answer.request_id}
    assert "success" in seen[-1].attempts[-1].outcome
