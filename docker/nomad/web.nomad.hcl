# An application with its sidecar under Nomad: one group, one network namespace (bridge), the sidecar as a task that starts
# before the application and ends after it. Traffic is captured by a task that runs once.
#
# Nomad signs the sidecar's identity; the control plane checks it with Nomad's keys:
#     outrider discovery --jwtIssuer=ISSUER --jwksFile=FILE, FILE being NOMAD_ADDR/.well-known/jwks.json, and
#     server { oidc_issuer = ISSUER } in Nomad's configuration
# The control plane takes the subject `system:serviceaccount:NAMESPACE:ACCOUNT` only: have a JWT with that subject issued by
# what your cluster has for it (Vault's identity tokens, for one), and written to secrets/mesh/istio-token by a template of the
# task `sidecar`; another template writes the control plane's root to local/mesh/root-cert.pem.
job "web" {
  datacenters = ["dc1"]
  type        = "service"

  group "web" {
    network {
      mode = "bridge"
      port "status" { to = 15021 }
    }

    service {
      name     = "web"
      port     = "status"
      provider = "nomad"

      check {
        type     = "http"
        path     = "/healthz/ready"
        interval = "10s"
        timeout  = "3s"
      }
    }

    task "capture" {
      driver = "docker"
      user   = "0:0"

      lifecycle {
        hook = "prestart"
      }

      config {
        image    = "outrider:0.1.0"
        args     = ["istio-iptables", "-p", "15001", "-z", "15006", "-u", "1337", "-m", "REDIRECT", "-i", "*", "-b", "*", "-d", "15090,15021,15020", "--run-validation"]
        cap_drop = ["all"]
        cap_add  = ["net_admin", "net_raw"]
      }
    }

    task "sidecar" {
      driver = "docker"
      user   = "1337:1337"

      lifecycle {
        hook    = "prestart"
        sidecar = true
      }

      # Longer than terminationDrainDuration, and what a client allows unless its max_kill_timeout is raised.
      kill_timeout = "30s"

      config {
        image           = "outrider:0.1.0"
        args            = ["proxy", "sidecar", "--domain", "demo.svc.cluster.local", "--proxyLogLevel=warning"]
        readonly_rootfs = true
        cap_drop        = ["all"]
        security_opt    = ["no-new-privileges"]

        mount {
          type   = "tmpfs"
          target = "/etc/istio/proxy"
          tmpfs_options { mode = 1023 }
        }

        mount {
          type   = "tmpfs"
          target = "/var/run/secrets/workload-spiffe-uds"
          tmpfs_options { mode = 1023 }
        }

        mount {
          type     = "bind"
          source   = "secrets/mesh"
          target   = "/var/run/secrets/tokens"
          readonly = true
        }

        mount {
          type     = "bind"
          source   = "local/mesh"
          target   = "/var/run/secrets/istio"
          readonly = true
        }
      }

      env {
        POD_NAME                     = "${NOMAD_ALLOC_ID}"
        POD_NAMESPACE                = "demo"
        SERVICE_ACCOUNT              = "web"
        INSTANCE_IP                  = "${NOMAD_ALLOC_IP_status}"
        ISTIO_META_INTERCEPTION_MODE = "REDIRECT"
        PROXY_CONFIG                 = "{discoveryAddress: 'istiod.example:15012', terminationDrainDuration: 20s}"
      }

      resources {
        cpu        = 100
        memory     = 128
        memory_max = 512
      }
    }

    task "web" {
      driver = "docker"

      config {
        image = "application"
      }
    }
  }
}
