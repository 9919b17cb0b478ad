# An application with its sidecar under Nomad: one group, one network namespace (bridge), the sidecar as a task that starts
# before the application and ends after it. Traffic is captured by a task that runs once.
#
# The control plane takes tokens whose subject is `system:serviceaccount:NAMESPACE:ACCOUNT`, which Nomad's own identities are
# not: whoever issues them in your cluster keeps the sidecar's, with the audience istio-ca, in the job's variable, and the
# control plane has that issuer's keys (`outrider discovery --jwtIssuer=ISSUER --jwksFile=FILE`):
#     nomad var put nomad/jobs/web istio_token=@token root_cert=@root-cert.pem
# A job may read the variable of its name without a policy. For certificates of Vault's PKI instead, write them with templates
# to the paths of FILE_MOUNTED_CERTS.
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

      # Read anew for each certificate: nothing is to be restarted when it changes.
      template {
        destination = "secrets/mesh/istio-token"
        data        = "{{ with nomadVar \"nomad/jobs/web\" }}{{ .istio_token }}{{ end }}"
        change_mode = "noop"
        perms       = "0400"
        uid         = 1337
        gid         = 1337
      }

      # The control plane's root; a change is seen by the agent itself.
      template {
        destination = "local/mesh/root-cert.pem"
        data        = "{{ with nomadVar \"nomad/jobs/web\" }}{{ .root_cert }}{{ end }}"
        change_mode = "noop"
        perms       = "0444"
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
