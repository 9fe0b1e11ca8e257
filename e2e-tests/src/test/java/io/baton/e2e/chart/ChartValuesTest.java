package io.baton.e2e.chart;

import static io.baton.e2e.chart.HelmChart.arguments;
import static io.baton.e2e.chart.HelmChart.container;
import static io.baton.e2e.chart.HelmChart.object;
import static io.baton.e2e.chart.HelmChart.pod;
import static io.baton.e2e.chart.HelmChart.render;
import static io.baton.e2e.chart.HelmChart.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What the chart makes of its values, and that it takes no wrong ones. */
class ChartValuesTest {

    private static final List<String> ROLES = List.of("gateway", "prefill", "decode");

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            drain: {secons: 5}                                           | secons
            drain: {seconds: 0}                                          | seconds
            image: {pullPolicy: Sometimes}                               | pullPolicy
            imagePullSecrets: [{secret: registry}]                       | imagePullSecrets
            model: {existingClaim: models, path: /absolute.gguf}         | path
            settings: {KV_DTYPE: bf16}                                   | KV_DTYPE
            ports: {grpc: 70000}                                         | grpc
            tls: {enabled: maybe}                                        | enabled
            tls: {secrets: {router: x}}                                  | router
            tls: {certManager: {issuerRef: {kind: Nobody}}}              | kind
            telemetry: {otlpEndpoint: collector}                         | otlpEndpoint
            telemetry: {otlpEndpoint: "http://collector:4318/v1/traces"} | otlpEndpoint
            telemetry: {sampleRatio: 1.5}                                | sampleRatio
            metrics: {serviceMonitor: {interval: often}}                 | interval
            networkPolicy: {clients: everyone}                           | clients
            scratchSize: much                                            | scratchSize
            gateway: {replicas: -1}                                      | replicas
            gateway: {heapPercent: 100}                                  | heapPercent
            gateway: {service: {type: ExternalName}}                     | type
            gateway: {podDisruptionBudget: {maxUnavailable: few}}        | maxUnavailable
            prefill: {resources: {request: {cpu: 1}}}                    | request
            prefill: {resources: {limits: {memory: plenty}}}             | memory
            prefill: {autoscaling: {targetCPUUtilizationPercentage: 0}}  | targetCPUUtilizationPercentage
            prefill: {startupSeconds: 0}                                 | startupSeconds
            decode: {replicas: many}                                     | replicas
            decode: {extraArgs: --threads=8}                             | extraArgs
            decode: {extraEnv: [{value: x}]}                             | extraEnv
            test: {maxTokens: 0}                                         | maxTokens
            """)
    void aWrongValueIsRefusedByName(String wrong, String name) {
        assertThatThrownBy(() -> render(wrong)).hasMessageContaining(name);
    }

    @Test
    void everyValueIsDescribedAndNoUnknownOneGetsThrough() {
        List<String> open = new ArrayList<>();
        undescribed(HelmChart.valuesSchema(), HelmChart.values(), "", open);
        assertThat(open).isEmpty();
    }

    /** Values that the schema does not describe, and objects of named values that take any other name as well. */
    private static void undescribed(JsonNode schema, JsonNode value, String path, List<String> found) {
        for (var property : value.properties()) {
            String name = path + "/" + property.getKey();
            JsonNode described = HelmChart.resolved(schema.at("/properties").path(property.getKey()));
            if (described.isMissingNode()) {
                found.add(name + " is not described");
            } else if (property.getValue().isObject() && described.has("properties")) {
                if (described.path("additionalProperties").asBoolean(true)) {
                    found.add(name + " takes unknown names");
                }
                undescribed(described, property.getValue(), name, found);
            }
        }
    }

    @Test
    void valuesThatNeedOthersSayWhich() {
        assertThatThrownBy(() -> render("model: {existingClaim: models}")).hasMessageContaining("model.path: expected");
        assertThatThrownBy(() -> render("tls: {enabled: true}")).hasMessageContaining("tls.secrets.gateway: expected");
        assertThatThrownBy(() -> render("tls: {enabled: true, certManager: {enabled: true}}"))
                .hasMessageContaining("tls.certManager.issuerRef.name: expected");
    }

    @Test
    void everyWorkloadHasTheReplicasAndResourcesOfItsRole() {
        List<JsonNode> objects = render("""
                gateway: {replicas: 3, resources: {requests: {cpu: 100m, memory: 300Mi}, limits: {memory: 300Mi}}}
                prefill: {replicas: 5, resources: {requests: {cpu: 16, memory: 24Gi}, limits: {cpu: 16, memory: 24Gi}}}
                decode: {replicas: 4, resources: {requests: {cpu: "8", memory: 48Gi}, limits: {memory: 48Gi}}}
                """);
        Map<String, Integer> replicas = Map.of("gateway", 3, "prefill", 5, "decode", 4);
        Map<String, String> memory = Map.of("gateway", "300Mi", "prefill", "24Gi", "decode", "48Gi");
        replicas.forEach((role, count) -> {
            JsonNode workload =
                    object(objects, role.equals("gateway") ? "Deployment" : "StatefulSet", "demo-baton-" + role);
            assertThat(workload.at("/spec/replicas").asInt()).as(role).isEqualTo(count);
            JsonNode resources = container(objects, role).at("/resources");
            assertThat(text(resources, "/requests/memory"))
                    .isEqualTo(text(resources, "/limits/memory"))
                    .isEqualTo(memory.get(role));
        });
        assertThat(container(objects, "prefill").at("/resources/limits/cpu").asInt())
                .isEqualTo(16);
    }

    @Test
    void aModelComesFromAClaimThatIsMountedReadOnlyOrFromTheImage() {
        List<JsonNode> claimed = render("model: {existingClaim: models, path: llama/llama-3.2-1b-q8_0.gguf}");
        List<JsonNode> embedded = render("{}");
        for (String role : ROLES) {
            assertThat(arguments(container(claimed, role))).contains("--model=/models/llama/llama-3.2-1b-q8_0.gguf");
            assertThat(named(container(claimed, role).at("/volumeMounts"), "models"))
                    .isEqualTo(json("{\"name\":\"models\",\"mountPath\":\"/models\",\"readOnly\":true}"));
            assertThat(named(pod(claimed, role).at("/spec/volumes"), "models").at("/persistentVolumeClaim"))
                    .isEqualTo(json("{\"claimName\":\"models\",\"readOnly\":true}"));
            assertThat(arguments(container(embedded, role))).noneMatch(argument -> argument.startsWith("--model"));
            assertThat(named(pod(embedded, role).at("/spec/volumes"), "models").isMissingNode())
                    .isTrue();
        }
    }

    @Test
    void theServiceMonitorFindsTheMetricsOfEveryRole() {
        assertThat(render("{}").stream().map(object -> text(object, "/kind"))).doesNotContain("ServiceMonitor");
        List<JsonNode> objects = render("metrics: {serviceMonitor: {enabled: true, labels: {release: prometheus}}}");
        JsonNode monitor = object(objects, "ServiceMonitor", "demo-baton");
        assertThat(text(monitor, "/metadata/labels/release")).isEqualTo("prometheus");
        JsonNode wanted = monitor.at("/spec/selector/matchLabels");
        JsonNode components = monitor.at("/spec/selector/matchExpressions/0/values");
        for (String role : ROLES) {
            JsonNode service = object(objects, "Service", "demo-baton-" + role);
            JsonNode labels = service.at("/metadata/labels");
            wanted.properties()
                    .forEach(label -> assertThat(labels.path(label.getKey())).isEqualTo(label.getValue()));
            assertThat(components.valueStream().map(JsonNode::asString)).contains(role);
            assertThat(named(service.at("/spec/ports"), text(monitor, "/spec/endpoints/0/port"))
                            .isMissingNode())
                    .isFalse();
            assertThat(arguments(container(objects, role))).contains("--metrics-port=9464", "--metrics-host=0.0.0.0");
        }
    }

    @Test
    void whereTracesGoIsSaidToEveryRoleAndLetThrough() {
        List<JsonNode> silent = render("{}");
        List<JsonNode> traced =
                render("telemetry: {otlpEndpoint: \"http://collector.observability:14317\", sampleRatio: 0.25}");
        for (String role : ROLES) {
            assertThat(arguments(container(silent, role))).noneMatch(argument -> argument.contains("otlp"));
            assertThat(arguments(container(traced, role)))
                    .contains("--otlp-endpoint=http://collector.observability:14317", "--otlp-sample-ratio=0.25");
            assertThat(openTo(silent, role, 14317)).isFalse();
            assertThat(openTo(traced, role, 14317)).isTrue();
        }
    }

    @Test
    void onlyWhoMonitorsMayReadMetrics() {
        List<JsonNode> objects =
                render("networkPolicy: {monitoring: [{podSelector: {matchLabels: {app: prometheus}}}]}");
        for (String role : ROLES) {
            List<JsonNode> rules = object(objects, "NetworkPolicy", "demo-baton-" + role)
                    .at("/spec/ingress")
                    .valueStream()
                    .filter(rule -> text(rule, "/ports/0/port").equals("metrics"))
                    .toList();
            assertThat(rules)
                    .as(role)
                    .singleElement()
                    .satisfies(rule -> assertThat(text(rule, "/from/0/podSelector/matchLabels/app"))
                            .isEqualTo("prometheus"));
        }
    }

    @Test
    void theNotesSayHowToAskAndWhatIsOpen() {
        assertThat(HelmChart.notes("{}"))
                .contains("helm test demo --namespace llm")
                .contains("kubectl --namespace llm port-forward service/demo-baton-gateway 7070:7070")
                .contains("./baton generate --target 127.0.0.1:7070 \"Once upon a time\"")
                .contains("storyteller", "plaintext")
                .doesNotContain("Network policies are off");
        assertThat(HelmChart.notes("{networkPolicy: {enabled: false}, model: {existingClaim: m, path: p.gguf}}"))
                .contains("Network policies are off")
                .doesNotContain("storyteller");
        assertThat(HelmChart.notes("tls: {enabled: true, secrets: {gateway: g, prefill: p, decode: d}}"))
                .contains("ca.crt of the Secret g")
                .doesNotContain("plaintext");
    }

    /** Whether pods of a role may send to a port anywhere. */
    private static boolean openTo(List<JsonNode> objects, String role, int port) {
        return object(objects, "NetworkPolicy", "demo-baton-" + role)
                .at("/spec/egress")
                .valueStream()
                .filter(rule -> !rule.has("to"))
                .flatMap(rule -> rule.at("/ports").valueStream())
                .anyMatch(open -> open.at("/port").asInt(0) == port);
    }

    private static JsonNode named(JsonNode list, String name) {
        return list.valueStream()
                .filter(element -> text(element, "/name").equals(name))
                .findFirst()
                .orElseGet(() -> list.path("nothing of that name"));
    }

    private static JsonNode json(String text) {
        return JsonMapper.shared().readTree(text);
    }
}
