"""A session with docker-py. Prints what it saw as JSON; the test judges it."""

import io
import json
import tarfile
import threading

import docker

client = docker.from_env()
seen = {}
label = {"e2e": "docker-py"}
name = "e2e-docker-py"


def archive(path, text):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        info = tarfile.TarInfo(path)
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text))
    return data.getvalue()


def system():
    seen["ping"] = client.ping()
    seen["api"] = client.version()["ApiVersion"]
    seen["os"] = client.info()["OSType"]


def images():
    image = client.images.get("busybox")
    image.tag("e2e-docker-py", "one")
    image.reload()
    saved = b"".join(image.save(named="e2e-docker-py:one"))
    client.images.remove("e2e-docker-py:one")
    seen["loaded"] = client.images.load(saved)[0].tags
    client.images.remove("e2e-docker-py:one", force=True)
    try:
        client.images.get("e2e-docker-py:one")
    except docker.errors.ImageNotFound as error:
        seen["image not found"] = error.status_code


def run():
    seen["run"] = client.containers.run("busybox", ["echo", "hello"], remove=True, labels=label).decode()
    try:
        client.containers.run("busybox", ["sh", "-c", "echo wrong >&2; exit 3"], remove=True, labels=label)
    except docker.errors.ContainerError as error:
        seen["failed"] = [error.exit_status, error.stderr.decode()]


def events_of(container, actions):
    """Collects the container's events until the last of `actions`."""
    found = []

    def collect(stream):
        for event in stream:
            found.append(event["Action"])
            if event["Action"] == actions[-1]:
                stream.close()
                return

    stream = client.events(decode=True, filters={"container": container.id, "event": actions})
    thread = threading.Thread(target=collect, args=(stream,))
    thread.start()
    return found, thread


def container():
    one = client.containers.create("busybox", ["sh", "-c", "echo up; exec sleep 300"], name=name, labels=label, environment={"A": "b"}, ports={"80/tcp": ("127.0.0.1", None)}, mem_limit="64m", tmpfs={"/scratch": "size=1m"}, healthcheck={"test": ["CMD", "true"], "interval": 200 * 10**6})
    events, thread = events_of(one, ["start", "pause", "unpause", "rename", "die"])
    one.start()
    lines = one.logs(stream=True, follow=True)
    seen["first line"] = next(lines).decode()
    lines.close()
    code, (stdout, stderr) = one.exec_run(["sh", "-c", "echo out; echo err >&2; exit 5"], demux=True)
    seen["exec"] = [code, stdout.decode(), stderr.decode()]
    one.put_archive("/tmp", archive("note", b"written"))
    stream, stat = one.get_archive("/tmp/note")
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as tar:
        seen["archive"] = [stat["name"], tar.extractfile("note").read().decode()]
    seen["memory limit"] = one.stats(stream=False)["memory_stats"]["limit"]
    seen["top"] = one.top()["Processes"][0][-1]
    seen["diff"] = {"Path": "/tmp/note", "Kind": 1} in one.diff()
    one.pause()
    one.reload()
    seen["paused"] = one.status
    one.unpause()
    one.rename(name + "-2")
    one.update(mem_limit="96m", memswap_limit="96m")
    one.reload()
    seen["port"] = one.ports["80/tcp"][0]["HostIp"]
    image = one.commit("e2e-docker-py", "two", changes=["ENV C=d"])
    seen["committed"] = "C=d" in image.attrs["Config"]["Env"]
    client.images.remove("e2e-docker-py:two")
    socket = one.attach_socket(params={"stream": 1})
    socket.close()
    one.kill()
    seen["wait"] = one.wait()["StatusCode"]
    thread.join(20)
    seen["events"] = events
    one.remove()
    try:
        client.containers.get(name)
    except docker.errors.NotFound as error:
        seen["container not found"] = error.explanation


def networks():
    pool = docker.types.IPAMConfig(pool_configs=[docker.types.IPAMPool(subnet="10.234.9.0/24")])
    network = client.networks.create(name, driver="bridge", ipam=pool, labels=label, internal=True)
    server = client.containers.run("busybox", ["sleep", "300"], name=name, network=name, detach=True, labels=label)
    seen["resolved"] = client.containers.run("busybox", ["nslookup", name], network=name, remove=True, labels=label).decode().count("10.234.9.")
    network.reload()
    seen["members"] = [one.name for one in network.containers]
    network.disconnect(server)
    network.connect(server, aliases=["other"], ipv4_address="10.234.9.77")
    server.reload()
    seen["address"] = server.attrs["NetworkSettings"]["Networks"][name]["IPAddress"]
    server.remove(force=True)
    seen["pruned networks"] = client.networks.prune(filters={"label": "e2e=docker-py"})["NetworksDeleted"]


def volumes():
    volume = client.volumes.create(name, labels=label)
    client.containers.run("busybox", ["sh", "-c", "echo kept > /v/file"], volumes={name: {"bind": "/v", "mode": "rw"}}, remove=True, labels=label)
    seen["kept"] = client.containers.run("busybox", ["cat", "/v/file"], mounts=[docker.types.Mount("/v", name, read_only=True)], remove=True, labels=label).decode()
    seen["volumes"] = [one.name for one in client.volumes.list(filters={"label": "e2e=docker-py"})]
    volume.remove()


def clean():
    for one in client.containers.list(all=True, filters={"label": "e2e=docker-py"}):
        one.remove(force=True)
    for one in client.networks.list(filters={"label": "e2e=docker-py"}):
        one.remove()
    for one in client.volumes.list(filters={"label": "e2e=docker-py"}):
        one.remove(force=True)


try:
    for part in (system, images, run, container, networks, volumes):
        part()
finally:
    clean()
print(json.dumps(seen))
