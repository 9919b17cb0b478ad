# An application with its sidecar under Nomad: one group, one network namespace (bridge), the sidecar as a task that starts
# before the application and ends after it. Traffic is captured by a task that runs once.
#
# The sidecar proves who it is by an identity that Nomad signs: `outrider discovery --registries=Nomad` takes it for the service
# account of the job's name, in the namespace of its namespace. The root is in the job's variable, which a job may read without a
# policy:
#     nomad var put nomad/jobs/web root_cert=@root-cert.pem
# For certificates of Vault's PKI instead, write them with templates to the paths of FILE_MOUNTED_CERTS.
job "web" {
  datacenters = ["dc1"]
  type        = "service"

  group "web" {
    network {
      mode = "bridge"
      port "http" { to = 8080 }
      port "status" { to = 15021 }
    }

    # The tags say to the mesh what Nomad has no field for: the port at which others call it, what that carries, and that there is
    # a sidecar of this identity.
    service {
      name     = "web"
      port     = "http"
      provider = "nomad"
      tags     = ["port=80", "protocol=http", "serviceAccount=web"]

      check {
        port     = "status"
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
        args            = ["proxy", "sidecar", "--proxyLogLevel=warning"]
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
      identity {
        name     = "istio"
        aud      = ["istio-ca"]
        ttl      = "1h"
        file     = true
        filepath = "secrets/mesh/istio-token"
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
        POD_NAMESPACE                = "${NOMAD_NAMESPACE}"
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
