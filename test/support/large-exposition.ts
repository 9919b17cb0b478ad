/** What a large Envoy says of itself: as many series as asked, some 230 bytes each. */

const inFamily = 200;

/** In the text format. */
export function largeExposition(series: number): Buffer {
  const lines: string[] = [];
  for (let index = 0; index < series; index += 1) {
    const name = `envoy_cluster_upstream_rq_family_${Math.floor(index / inFamily)}`;
    const one = index % inFamily;
    if (one === 0) lines.push(`# TYPE ${name} counter\n`);
    const cluster = `outbound|8080||service-${one}.namespace-${one % 20}.svc.cluster.local`;
    lines.push(
      `${name}{cluster_name="${cluster}",reporter="source",response_code="200",` +
        `destination_workload="service-${one}-v1",connection_security_policy="mutual_tls"} ${one * 17}\n`,
    );
  }
  return Buffer.from(lines.join(""));
}
