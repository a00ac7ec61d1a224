"""What a command may try to reach of the machine, or to use up of it."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

import pytest

from takt.errors import TaktError
from takt.stations.codedesk import sandbox
from takt.stations.codedesk.sandbox import Limits, Ran, Room, Sandbox
from takt.stations.codedesk.trees import checked, read_tree


def sh(room: Room, line: str, wall_s: float = 60.0) -> Ran:
    """A shell's command, on a tree of one file."""
    room.put({"a.txt": ("f644", b"one\n")})
    return room.run(["sh", "-c", line], wall_s=wall_s)


def python(room: Room, program: str, wall_s: float = 60.0) -> Ran:
    return room.run(["python3", "-c", program], wall_s=wall_s)


def test_a_command_runs_on_the_tree_and_what_it_changed_is_told(shared_room: Room) -> None:
    shared_room.put({"gone.txt": ("f644", b"x"), "run.sh": ("f755", b"#!/bin/sh\necho $1\n"), "l": None})
    ran = sh(shared_room, "./run.sh hello; rm gone.txt; mkdir d; echo two > d/b; ln -s d/b l; chmod +x a.txt; exit 3")
    assert (ran.code, ran.stdout, ran.ended_by) == (3, b"hello\n", "exit")
    assert ran.changed["gone.txt"] is None
    assert ran.changed["d/b"] == ("f644", b"two\n") and ran.changed["l"] == ("l", b"d/b")
    assert ran.changed["a.txt"] == ("f755", b"one\n")
    assert "run.sh" not in ran.changed


def test_no_file_of_the_machine_can_be_read(shared_room: Room, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the secret")
    os.environ["TAKT_TEST_SECRET"] = "the secret"
    try:
        ran = sh(
            shared_room,
            f"cat {secret} /etc/shadow; ls -A /root /home /var /srv; cat /etc/passwd; env; cat /proc/1/environ",
        )
    finally:
        del os.environ["TAKT_TEST_SECRET"]
    assert b"secret" not in ran.stdout and b"root:x" not in ran.stdout
    assert ran.stderr.count(b"No such file") >= 2


def test_takt_itself_is_not_there_to_be_asked_for_hidden_tests(shared_room: Room) -> None:
    ran = sh(
        shared_room,
        "python3 -c 'import takt'; find /opt /root /usr/local -name tickets.py -path '*codedesk*' 2>/dev/null",
    )
    assert b"No module named" in ran.stderr and ran.stdout == b""


def test_nor_is_another_takt_in_an_agents_environment(works: None, tmp_path: Path) -> None:
    families = tmp_path / "agent/lib/python3.12/site-packages/takt/stations/codedesk/families"
    families.mkdir(parents=True)
    (families / "x.py").write_text("")
    with Sandbox(programs=(str(tmp_path / "agent"),), limits=Limits(disk_mb=16)).open() as room:
        ran = room.run(["find", str(tmp_path), "-name", "x.py"])
        assert (ran.code, ran.stdout) == (0, b"")


def test_nothing_but_the_tree_can_be_written_and_only_the_tree_is_kept(shared_room: Room) -> None:
    sh(shared_room, "echo x > /tmp/x; echo x > ~/x; echo x > /dev/shm/x")
    ran = sh(
        shared_room,
        "ls -A /tmp ~ /dev/shm; for d in / /usr /dev /etc /opt/takt /proc/sys/kernel/core_pattern; do touch $d/x; done",
    )
    assert b"x\n" not in ran.stdout
    assert ran.stderr.count(b"cannot touch") == 6


def test_there_is_no_network(shared_room: Room) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        program = f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)"
        assert b"refused" in python(shared_room, program).stderr
        with pytest.raises(TimeoutError):
            server.accept()
    assert b"unreachable" in python(shared_room, "import socket; socket.create_connection(('192.0.2.1', 80), 2)").stderr


def test_an_abstract_socket_of_the_machine_is_not_reached(shared_room: Room) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0takt-test")
        server.listen()
        ran = python(shared_room, "import socket; socket.socket(socket.AF_UNIX).connect('\\0takt-test')")
    assert b"ConnectionRefused" in ran.stderr


def test_a_fork_bomb_ends_itself(shared_room: Room) -> None:
    ran = python(shared_room, "import os\nwhile True:\n  os.fork()")
    assert ran.ended_by in ("processes", "exit", "memory")
    assert sh(shared_room, "ls /proc | grep -c '^[0-9]'").stdout.strip() in (b"4", b"3")


def test_memory_has_an_end(shared_room: Room) -> None:
    ran = python(shared_room, "x = []\nwhile True:\n  x.append(bytearray(10 << 20))")
    assert ran.ended_by == "memory" or b"MemoryError" in ran.stderr


def test_memory_of_many_processes_together_has_an_end(works: None) -> None:
    with Sandbox(limits=Limits(wall_s=30, memory_mb=128, disk_mb=16)).open() as room:
        program = "import os, time\nfor _ in range(8): os.fork() or (bytearray(b'x' * (60 << 20)), time.sleep(20))\n"
        ran = python(room, program + "time.sleep(20)")
        assert ran.ended_by == "memory"


def test_memory_without_a_mapping_has_an_end(shared_room: Room) -> None:
    ran = python(shared_room, "import os\nf = os.memfd_create('x')\nwhile True: os.write(f, b'x' * (1 << 20))")
    assert ran.code != 0 or ran.ended_by != "exit"


def test_the_disk_has_an_end(shared_room: Room) -> None:
    ran = sh(shared_room, "cat /dev/zero > big; cat /dev/zero > /tmp/big; cat /dev/zero > /dev/shm/big")
    assert ran.stderr.count(b"No space left") + ran.stderr.count(b"File too large") + ran.stderr.count(b"limit") >= 1
    assert ran.too_much and not ran.changed
    assert not sh(shared_room, "rm big").too_much


def test_files_without_number_end_a_command(works: None) -> None:
    with Sandbox(limits=Limits(wall_s=60, disk_mb=16, entries=2000)).open() as room:
        for folder in ("/tmp", "/dev/shm", "/home/agent", "/work"):
            ran = python(room, f"n = 0\nwhile True:\n  open(f'{folder}/{{n}}', 'w').close(); n += 1")
            assert ran.ended_by == "disk" or b"No space" in ran.stderr


def test_output_has_an_end_and_its_beginning_and_end_are_kept(shared_room: Room) -> None:
    ran = sh(shared_room, "echo first; head -c 3000000 /dev/zero; echo last")
    assert ran.ended_by == "exit" and len(ran.stdout) < 20_000
    assert ran.stdout.startswith(b"first\n") and ran.stdout.endswith(b"last\n") and b"bytes not kept" in ran.stdout
    assert sh(shared_room, "yes").ended_by == "output"


def test_time_has_an_end(shared_room: Room) -> None:
    ran = sh(shared_room, "trap '' TERM INT HUP; while :; do sleep 1; done", wall_s=0.3)
    assert ran.ended_by == "time" and ran.code == 137


def test_no_process_outlives_its_command(shared_room: Room) -> None:
    ran = sh(
        shared_room,
        "(setsid sh -c 'while :; do date >> late.txt; sleep 0.01; done' &) ; nohup sleep 100 >/dev/null 2>&1 &",
    )
    assert ran.left >= 1
    time.sleep(0.1)
    assert sh(shared_room, "ls; pgrep sleep").stdout.count(b"sleep") == 0
    one = sh(shared_room, "cat late.txt | wc -l").stdout
    time.sleep(0.1)
    assert sh(shared_room, "cat late.txt | wc -l").stdout == one


def test_links_lead_nowhere_and_are_told_as_links(shared_room: Room) -> None:
    ran = sh(
        shared_room,
        "ln -s /etc/shadow s; ln -s / root; ln -s loop loop; ln a.txt hard; ln /usr/bin/env h; cat s root/etc/shadow",
    )
    assert ran.stdout == b""
    assert ran.changed["s"] == ("l", b"/etc/shadow") and ran.changed["root"] == ("l", b"/")
    assert ran.changed["hard"] == ("f644", b"one\n") and "h" not in ran.changed
    shared_room.put({"s": None, "root": ("f644", b"a file now"), "loop": None, "hard": None})
    assert sh(shared_room, "cat root; ls -l root").stdout.startswith(b"a file now")


def test_devices_pipes_and_sockets_are_not_kept_and_cannot_be_made(shared_room: Room) -> None:
    ran = sh(
        shared_room,
        "mknod dev b 8 0; mkfifo pipe; python3 -c \"import socket; socket.socket(1).bind('sock')\"; "
        "ls /dev/sd* /dev/vd* /dev/mem",
    )
    assert b"Operation not permitted" in ran.stderr and not {"dev", "pipe", "sock"} & ran.changed.keys()
    assert b"/dev/" not in ran.stdout
    assert sh(shared_room, "ls").stdout.count(b"pipe") == 0


def test_rights_cannot_be_had_again(shared_room: Room) -> None:
    ran = sh(
        shared_room,
        "unshare -Ur id; unshare -m id; mount -t tmpfs x /tmp; chroot / id; su -c id; "
        "date -s 2001-01-01; hostname x; cat /proc/self/status",
    )
    assert b"uid=0" not in ran.stdout and b"CapEff:\t0000000000000000" in ran.stdout
    assert b"CapBnd:\t0000000000000000" in ran.stdout and b"NoNewPrivs:\t1" in ran.stdout


def test_signals_reach_neither_the_station_nor_the_first_process(shared_room: Room) -> None:
    own = os.getpid()
    ran = sh(shared_room, f"kill -9 1; kill -9 {own}; kill -STOP 1; kill -9 -1; echo still")
    assert ran.ended_by == "exit"
    assert sh(shared_room, "echo there").stdout == b"there\n"


def test_the_first_process_can_be_neither_traced_nor_written_to(shared_room: Room) -> None:
    ran = sh(shared_room, "cat /proc/1/maps; ls /proc/1/fd; echo x > /proc/1/mem; echo x > /proc/1/fd/1")
    assert ran.stdout == b"" and ran.stderr.count(b"denied") == 4


def test_a_huge_file_of_nothing_is_not_read(shared_room: Room) -> None:
    ran = sh(shared_room, "truncate -s 1T hole; truncate -s 30M small")
    assert "hole" not in ran.changed or len(ran.changed["hole"][1]) == 0
    assert ran.too_much


def test_what_a_sandbox_tells_is_not_believed(works: None) -> None:
    for path in ("../x", "/etc/x", "a//b", "a/../b", "", ".", "a\0b", 7):
        with pytest.raises(ValueError):
            checked(path)


def test_a_socket_that_is_shown_is_the_one_way_out(works: None, tmp_path: Path) -> None:
    path = tmp_path / "model.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        path.chmod(0o666)
        server.listen()
        with Sandbox(sockets={"/run/model.sock": str(path)}, limits=Limits(wall_s=20, disk_mb=16)).open() as room:
            ran = python(room, "import socket; s = socket.socket(1); s.connect('/run/model.sock'); s.send(b'hello')")
            assert ran.code == 0, ran.stderr
        server.settimeout(2)
        came, _ = server.accept()
        assert came.recv(9) == b"hello"
        came.close()


def test_one_command_runs_in_a_copy_of_a_folder(works: None, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("open('b.txt', 'w').write('done')")
    (tmp_path / "link").symlink_to("/etc/hostname")
    ran = Sandbox().run(["python3", "a.py"], tree=tmp_path, wall_s=20)
    assert ran.changed == {"b.txt": ("f644", b"done")}
    assert sorted(read_tree(tmp_path)) == ["a.py", "link"] and not (tmp_path / "b.txt").exists()


def test_without_bubblewrap_or_namespaces_it_says_so_in_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    check = sandbox.check_works.__wrapped__
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    with pytest.raises(TaktError, match="apt-get install bubblewrap"):
        check()
    monkeypatch.undo()
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(
        TaktError, match=r"user namespaces.*No permissions to create new namespace.*no other way"
    ) as said:
        check()
    assert "\n" not in str(said.value)


def test_names_and_depths_that_cannot_be_kept_are_left_out(shared_room: Room) -> None:
    ran = sh(shared_room, "touch \"$(printf 'x\\377')\"; mkdir shut; touch shut/in; chmod 0 shut; touch 'a b'")
    assert "shut/in" in ran.changed and "a b" in ran.changed and len(ran.changed) == 3
    program = "import os\nfor _ in range(3000): os.mkdir('d' * 100); os.chdir('d' * 100)"
    deep = python(shared_room, program)
    assert deep.ended_by == "exit"
    if not shared_room.lost:
        assert sh(shared_room, "echo on").stdout == b"on\n"


def test_a_command_that_lives_on_is_heard_by_its_word_for_its_ticket_and_stands_still_whatever_it_does(
    works: None,
) -> None:
    limits = Limits(wall_s=60, memory_mb=256, processes=40, output_kb=16, disk_mb=32, effect_mb=8)
    talks = (
        """echo '{"submit": true}'; echo '{"submit": 9, "help": 1}'; echo '[[['; printf '{"submit": 1'; sleep 0.1; """
        """echo ', "why": 7}'; read x; read y; read z; echo $x $y > f; exit 3"""
    )
    with Sandbox(limits=limits).open() as room:
        room.put({"a": ("f644", b"")})
        first = room.turn(["sh", "-c", talks], b'{"a": 1}', 1, wall_s=30)
        assert first.ended_by == "said" and first.word == {"help": 1, "why": ""}, "not true, not 9"
        second = room.turn(["sh", "-c", talks], b'{"b": 2}\n', 1, wall_s=30)
        assert second.word == {"submit": 1, "why": "7"}, "a line that comes in two parts"
        room.put({"a": None})  # while it stands still
        last = room.turn(["sh", "-c", talks], b"{}", 1, wall_s=30)
        files = {path: file for ran in (second, last) for path, file in ran.changed.items()}
        assert last.ended_by == "exit" and last.code == 3 and files == {"f": ("f644", b'{"a": 1} {"b": 2}\n')}
    with Sandbox(limits=limits).open() as room:
        forks = ["sh", "-c", "read x; echo '{\"submit\": 1}'; while :; do (:) & done"]
        assert room.turn(forks, b"{}", 1, wall_s=30).ended_by == "said", "nothing of it runs now"
        bomb = room.turn(forks, b"{}", 2, wall_s=0.5)  # a shell that may not fork any more may end by itself
        assert bomb.ended_by in ("time", "processes") or b"Cannot fork" in bomb.stderr, bomb
