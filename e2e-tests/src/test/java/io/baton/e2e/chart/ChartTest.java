package io.baton.e2e.chart;

import static io.baton.e2e.chart.HelmChart.arguments;
import static io.baton.e2e.chart.HelmChart.container;
import static io.baton.e2e.chart.HelmChart.object;
import static io.baton.e2e.chart.HelmChart.pod;
import static io.baton.e2e.chart.HelmChart.render;
import static io.baton.e2e.chart.HelmChart.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

class ChartTest {

    private static final List<String> ROLES = List.of("gateway", "prefill", "decode");

    private static final String DEFAULTS = "{}";
    private static final String SMALLEST = """
            serviceAccount: {create: false}
            metrics: {enabled: false}
            networkPolicy: {enabled: false}
            gateway: {replicas: 1, podDisruptionBudget: {enabled: false}}
            prefill: {replicas: 0, podDisruptionBudget: {enabled: false}}
            decode: {replicas: 1, podDisruptionBudget: {enabled: false}}
            """;
    private static final String MODEL_ON_A_CLAIM = """
            model: {existingClaim: models, path: llama/llama-3.2-1b-q8_0.gguf}
            settings: {kv-dtype: bf16, block-tokens: 32, chunk-tokens: 256}
            image: {repository: registry.example/baton, tag: "1.2"}
            imagePullSecrets: [{name: registry}]
            commonLabels: {team: inference}
            prefill:
              replicas: 3
              resources: {requests: {cpu: "8", memory: 8Gi}, limits: {memory: 8Gi}}
              nodeSelector: {pool: cpu}
              tolerations: [{key: dedicated, operator: Equal, value: llm, effect: NoSchedule}]
              affinity:
                podAntiAffinity:
                  requiredDuringSchedulingIgnoredDuringExecution:
                    - topologyKey: kubernetes.io/hostname
                      labelSelector: {matchLabels: {app.kubernetes.io/component: prefill}}
              priorityClassName: important
              extraArgs: [--threads=8]
              extraEnv: [{name: TZ, value: UTC}]
              podAnnotations: {example.com/note: fast}
              podLabels: {tier: prefill}
            """;
    private static final String OWN_CERTIFICATES = """
            tls: {enabled: true, secrets: {gateway: gateway-tls, prefill: prefill-tls, decode: decode-tls}}
            gateway: {service: {type: LoadBalancer, port: 443, annotations: {example.com/internal: "true"}}}
            """;
    private static final String ISSUED_CERTIFICATES = """
            tls: {enabled: true, certManager: {enabled: true, issuerRef: {name: cluster-ca, kind: ClusterIssuer}}}
            """;
    private static final String WATCHED_AND_SCALED = """
            telemetry: {otlpEndpoint: "http://otel-collector.observability:4317", sampleRatio: 1}
            metrics: {serviceMonitor: {enabled: true, labels: {release: prometheus}}}
            networkPolicy: {clients: [{namespaceSelector: {matchLabels: {team: web}}}]}
            gateway: {autoscaling: {enabled: true}}
            prefill: {autoscaling: {enabled: true, maxReplicas: 20}}
            decode:
              autoscaling: {enabled: true}
              podDisruptionBudget: {enabled: true, maxUnavailable: 10%}
              topologySpreadConstraints:
                - topologyKey: topology.kubernetes.io/zone
                  maxSkew: 2
                  whenUnsatisfiable: DoNotSchedule
                  labelSelector: {matchLabels: {app.kubernetes.io/component: decode}}
            """;

    @Test
    void lintsStrictly() {
        assertThat(HelmChart.lint().isFailed())
                .as(HelmChart.lint().getMessages().toString())
                .isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {DEFAULTS, SMALLEST, MODEL_ON_A_CLAIM, OWN_CERTIFICATES, ISSUED_CERTIFICATES, WATCHED_AND_SCALED})
    void everyObjectSatisfiesTheStrictSchemas(String values) {
        KubernetesSchemas schemas = KubernetesSchemas.find().orElseGet(() -> abort("no schemas at hand"));
        List<JsonNode> objects = render(values);
        assertThat(objects).isNotEmpty();
        assertThat(objects.stream().map(o -> text(o, "/kind") + " " + text(o, "/metadata/name")))
                .doesNotHaveDuplicates();
        for (JsonNode object : objects) {
            assertThat(text(object, "/metadata/namespace")).isEqualTo(HelmChart.NAMESPACE);
            assertThat(schemas.complaints(object)).as(object.toPrettyString()).isEmpty();
        }
    }

    @Test
    void theSchemasNoticeAFieldThatDoesNotExist() {
        KubernetesSchemas schemas = KubernetesSchemas.find().orElseGet(() -> abort("no schemas at hand"));
        JsonNode gateway = object(render(DEFAULTS), "Deployment", "demo-baton-gateway");
        ((ObjectNode) gateway.at("/spec/template/spec")).put("terminationGraceSeconds", 5);
        assertThat(schemas.complaints(gateway)).anyMatch(complaint -> complaint.contains("terminationGraceSeconds"));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 30, 60, 3600})
    void preStopDrainAndGraceComeFromOneValue(int seconds) {
        List<JsonNode> objects = render("drain: {seconds: %d}".formatted(seconds));
        for (String role : ROLES) {
            int preStop = container(objects, role)
                    .at("/lifecycle/preStop/sleep/seconds")
                    .asInt();
            int grace =
                    pod(objects, role).at("/spec/terminationGracePeriodSeconds").asInt();
            assertThat(preStop).isBetween(1, 10);
            assertThat(arguments(container(objects, role))).contains("--drain-limit=" + seconds + "s");
            assertThat(grace).as("time beyond preStop and drain").isEqualTo(preStop + seconds + 10);
        }
    }

    @Test
    void probesAskThePlaintextHealthPort() {
        List<JsonNode> objects = render(OWN_CERTIFICATES + "ports: {grpc: 7070, health: 8099, metrics: 9464}\n");
        for (String role : ROLES) {
            JsonNode container = container(objects, role);
            assertThat(arguments(container)).contains("--health-port=8099");
            for (String probe : List.of("startupProbe", "readinessProbe", "livenessProbe")) {
                assertThat(container.at("/" + probe + "/grpc/port").asInt())
                        .as(probe)
                        .isEqualTo(8099);
            }
            assertThat(text(container, "/readinessProbe/grpc/service")).isEqualTo("readiness");
            // A draining pod is not ready but alive, or it would be killed before it is done.
            assertThat(text(container, "/livenessProbe/grpc/service")).isEqualTo("liveness");
        }
    }

    @Test
    void podsRunWithoutPrivilegesOnAReadOnlyFilesystem() {
        List<JsonNode> objects = render(DEFAULTS);
        List<JsonNode> pods =
                new ArrayList<>(ROLES.stream().map(role -> pod(objects, role)).toList());
        pods.add(object(objects, "Pod", "demo-baton-test"));
        for (JsonNode pod : pods) {
            assertThat(pod.at("/spec/securityContext/runAsNonRoot").asBoolean()).isTrue();
            assertThat(pod.at("/spec/automountServiceAccountToken").asBoolean(true))
                    .isFalse();
            JsonNode security = pod.at("/spec/containers/0/securityContext");
            assertThat(security.at("/readOnlyRootFilesystem").asBoolean()).isTrue();
            assertThat(security.at("/allowPrivilegeEscalation").asBoolean(true)).isFalse();
            assertThat(text(security, "/capabilities/drop/0")).isEqualTo("ALL");
            assertThat(text(pod, "/spec/containers/0/volumeMounts/0/mountPath")).isEqualTo("/tmp");
        }
    }

    @Test
    void tiersAreFoundThroughHeadlessServices() {
        List<JsonNode> objects = render(DEFAULTS);
        for (String role : List.of("prefill", "decode")) {
            JsonNode service = object(objects, "Service", "demo-baton-" + role);
            assertThat(text(service, "/spec/clusterIP")).isEqualTo("None");
            assertThat(service.at("/spec/selector"))
                    .isEqualTo(
                            object(objects, "StatefulSet", "demo-baton-" + role).at("/spec/selector/matchLabels"));
        }
        assertThat(arguments(container(objects, "gateway")))
                .contains(
                        "--decode-nodes=demo-baton-decode.llm.svc:7070",
                        "--prefill-nodes=demo-baton-prefill.llm.svc:7070");
        assertThat(arguments(container(objects, "decode"))).contains("--prefill-nodes=demo-baton-prefill.llm.svc:7070");
        assertThat(arguments(container(objects, "prefill"))).noneMatch(argument -> argument.contains("-nodes="));
    }

    @Test
    void onlyTheIntendedPairsMayTalk() {
        List<JsonNode> objects = render("{networkPolicy: {clients: [{podSelector: {matchLabels: {app: web}}}]}}");
        List<String> allowed = new ArrayList<>();
        for (String from : ROLES) {
            for (String to : ROLES) {
                if (NetworkPolicies.allow(objects, from, to)) {
                    allowed.add(from + " to " + to);
                }
            }
        }
        assertThat(allowed).containsExactlyInAnyOrder("gateway to decode", "gateway to prefill", "decode to prefill");
    }

    @Test
    void withTlsNothingIsInsecureAndEachRoleShowsItsOwnCertificate() {
        List<JsonNode> plain = render(DEFAULTS);
        List<JsonNode> secured = render(OWN_CERTIFICATES);
        for (String role : ROLES) {
            assertThat(arguments(container(plain, role))).contains("--insecure");
            assertThat(arguments(container(secured, role)))
                    .doesNotContain("--insecure")
                    .contains("--tls-trust=/etc/baton/tls/ca.crt", "--tls-release=demo-baton");
            assertThat(pod(secured, role)
                            .at("/spec/volumes")
                            .valueStream()
                            .map(volume -> text(volume, "/secret/secretName")))
                    .contains(role + "-tls");
        }
    }

    @Test
    void issuedCertificatesNameTheirRole() {
        List<JsonNode> objects = render(ISSUED_CERTIFICATES);
        for (String role : ROLES) {
            JsonNode certificate = object(objects, "Certificate", "demo-baton-" + role);
            assertThat(text(certificate, "/spec/dnsNames/0")).isEqualTo(role + ".demo-baton.baton");
            assertThat(text(certificate, "/spec/privateKey/encoding")).isEqualTo("PKCS8");
            assertThat(pod(objects, role)
                            .at("/spec/volumes")
                            .valueStream()
                            .map(volume -> text(volume, "/secret/secretName")))
                    .contains(text(certificate, "/spec/secretName"));
        }
    }

    @Test
    void changedSettingsReachThePodsAndRollThem() {
        List<JsonNode> before = render("settings: {kv-dtype: bf16}");
        List<JsonNode> after = render("settings: {kv-dtype: f32}");
        assertThat(text(object(after, "ConfigMap", "demo-baton-settings"), "/data/settings.yaml"))
                .isEqualTo("kv-dtype: f32\n");
        for (String role : ROLES) {
            assertThat(arguments(container(after, role))).contains("--config=/etc/baton/settings/settings.yaml");
            String checksum = "/metadata/annotations/checksum~1settings";
            assertThat(text(pod(after, role), checksum)).isNotEmpty().isNotEqualTo(text(pod(before, role), checksum));
        }
    }

    @Test
    void gatewaysShareOneClusterKeyAndNobodyElseHasIt() {
        List<JsonNode> objects = render(DEFAULTS);
        String pointer = "/stringData/cluster-key";
        String key = text(object(objects, "Secret", "demo-baton-cluster-key"), pointer);
        assertThat(key).hasSizeGreaterThanOrEqualTo(16);
        assertThat(text(object(render(DEFAULTS), "Secret", "demo-baton-cluster-key"), pointer))
                .isNotEqualTo(key);
        List<JsonNode> withOwnKey = render("clusterKey: {existingSecret: our-key}");
        assertThat(withOwnKey.stream().map(o -> text(o, "/kind"))).doesNotContain("Secret");
        for (String role : ROLES) {
            assertThat(secretsInEnvironment(container(objects, role)))
                    .isEqualTo(role.equals("gateway") ? List.of("demo-baton-cluster-key") : List.of());
            assertThat(secretsInEnvironment(container(withOwnKey, role)))
                    .isEqualTo(role.equals("gateway") ? List.of("our-key") : List.of());
        }
    }

    private static List<String> secretsInEnvironment(JsonNode container) {
        return container
                .at("/env")
                .valueStream()
                .map(variable -> text(variable, "/valueFrom/secretKeyRef/name"))
                .filter(name -> !name.isEmpty())
                .toList();
    }

    @Test
    void everyRoleHasABudgetAndIsSpreadOverMachines() {
        List<JsonNode> objects = render(DEFAULTS);
        for (String role : ROLES) {
            JsonNode labels = pod(objects, role).at("/metadata/labels");
            JsonNode budget = object(objects, "PodDisruptionBudget", "demo-baton-" + role);
            budget.at("/spec/selector/matchLabels")
                    .properties()
                    .forEach(label -> assertThat(labels.at("/" + label.getKey().replace("/", "~1")))
                            .isEqualTo(label.getValue()));
            assertThat(pod(objects, role)
                            .at("/spec/topologySpreadConstraints")
                            .valueStream()
                            .map(c -> text(c, "/topologyKey")))
                    .containsExactly("kubernetes.io/hostname", "topology.kubernetes.io/zone");
        }
    }

    @Test
    void autoscaledRolesLeaveTheNumberOfPodsToTheAutoscaler() {
        List<JsonNode> objects = render(WATCHED_AND_SCALED);
        for (String role : ROLES) {
            JsonNode autoscaler = object(objects, "HorizontalPodAutoscaler", "demo-baton-" + role);
            JsonNode workload = object(objects, text(autoscaler, "/spec/scaleTargetRef/kind"), "demo-baton-" + role);
            assertThat(workload.at("/spec").has("replicas")).isFalse();
        }
        assertThat(Set.copyOf(arguments(container(objects, "decode"))))
                .contains("--otlp-endpoint=http://otel-collector.observability:4317", "--otlp-sample-ratio=1");
    }
}
