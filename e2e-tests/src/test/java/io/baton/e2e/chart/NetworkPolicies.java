package io.baton.e2e.chart;

import static io.baton.e2e.chart.HelmChart.object;
import static io.baton.e2e.chart.HelmChart.text;

import java.util.List;
import tools.jackson.databind.JsonNode;

/** What a cluster makes of the rendered policies, as far as calls between our own pods go. */
final class NetworkPolicies {

    private static final String COMPONENT = "/podSelector/matchLabels/app.kubernetes.io~1component";

    private NetworkPolicies() {}

    /** A call needs both: the caller may send and the called may receive. */
    static boolean allow(List<JsonNode> objects, String from, String to) {
        return names(policy(objects, from).at("/spec/egress"), "to", to)
                && names(policy(objects, to).at("/spec/ingress"), "from", from);
    }

    private static JsonNode policy(List<JsonNode> objects, String role) {
        return object(objects, "NetworkPolicy", "demo-baton-" + role);
    }

    /** Whether a rule opens the gRPC port to a role; a rule without peers opens it to everyone. */
    private static boolean names(JsonNode rules, String side, String role) {
        return rules.valueStream()
                .filter(rule -> rule.at("/ports")
                        .valueStream()
                        .anyMatch(port -> text(port, "/port").equals("grpc")))
                .anyMatch(rule -> !rule.has(side)
                        || rule.at("/" + side)
                                .valueStream()
                                .anyMatch(peer -> text(peer, COMPONENT).equals(role)));
    }
}
