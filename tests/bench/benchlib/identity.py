"""Who a program is to the API server: a service account of its own, with a token."""

import json


def identity(cluster, namespace, account, role, kubeconfig):
    """Makes the account, binds it to a ClusterRole, and writes a kubeconfig; returns its token."""
    cluster.kubectl("create", "serviceaccount", account, "-n", namespace)
    cluster.kubectl("create", "clusterrolebinding", f"bench-{account}", f"--clusterrole={role}",
                    f"--serviceaccount={namespace}:{account}")
    token = cluster.kubectl("create", "token", account, "-n", namespace, "--duration=12h").strip()
    config = json.loads(cluster.kubectl("config", "view", "--raw", "-o", "json"))
    config["users"] = [{"name": account, "user": {"token": token}}]
    config["contexts"][0]["context"]["user"] = account
    kubeconfig.touch(mode=0o600)
    kubeconfig.write_text(json.dumps(config))
    return token
