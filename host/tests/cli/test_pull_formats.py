"""What a folder has already decides how the next pull writes there."""

import pytest


@pytest.mark.parametrize(("first", "then"), [("jsonl.gz", "jsonl"), ("jsonl", "jsonl.gz"), ("parquet", "jsonl")])
def test_a_folder_keeps_the_format_that_it_has(host, shop, tmp_path, first, then):
    if first == "parquet":
        pytest.importorskip("pyarrow")
    shop()
    assert host.run("pull", "shop", "things", "--to", tmp_path, "--format", first).exit_code == 0
    files = sorted(tmp_path.iterdir())
    refused = host.run("pull", "shop", "things", "--to", tmp_path, "--format", then)
    assert refused.exit_code == 2
    assert f"--format: things is there in the format {first}. Choose {first}, or another folder." in refused.stderr
    assert sorted(tmp_path.iterdir()) == files
    assert host.run("pull", "shop", "colours", "--to", tmp_path, "--format", then).exit_code == 0
    assert host.run("pull", "shop", "things", "--to", tmp_path, "--format", first).exit_code == 0


def test_a_file_that_somebody_has_written_to_is_told_with_what_helps(host, shop, tmp_path):
    shop()
    host.run("pull", "shop", "things", "--to", tmp_path)
    file = tmp_path / "things.jsonl"
    mine = file.read_text() + '{"mine": 1}\n'
    file.write_text(mine)
    refused = host.run("pull", "shop", "things", "--to", tmp_path)
    assert refused.exit_code == 2
    assert "was written to" in refused.stderr
    assert "mode full" not in refused.stderr
    assert file.read_text() == mine
    file.rename(tmp_path / "elsewhere.jsonl")
    assert host.run("pull", "shop", "things", "--to", tmp_path).exit_code == 0
