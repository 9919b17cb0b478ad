// The DNS proxy of Istio's agent with 10,000 names: os.Args are how many, and where it listens.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"istio.io/istio/pkg/dns/client"
	dnsProto "istio.io/istio/pkg/dns/proto"
)

func main() {
	names, _ := strconv.Atoi(os.Args[1])
	server, err := client.NewLocalDNSServer("ns1", "ns1.svc.cluster.local", os.Args[2])
	if err != nil {
		panic(err)
	}
	table := map[string]*dnsProto.NameTable_NameInfo{}
	for at := 0; at < names; at++ {
		namespace := fmt.Sprintf("ns%d", at%50)
		short := fmt.Sprintf("service-%d", at)
		table[short+"."+namespace+".svc.cluster.local"] = &dnsProto.NameTable_NameInfo{
			Ips:      []string{fmt.Sprintf("10.%d.%d.%d", at>>16, at>>8&255, at&255)},
			Registry: "Kubernetes", Shortname: short, Namespace: namespace,
		}
	}
	server.StartDNS()
	server.UpdateLookupTable(&dnsProto.NameTable{Table: table})
	fmt.Println("ready")
	time.Sleep(time.Hour)
}
