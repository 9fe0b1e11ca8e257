package io.baton.e2e;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Keeps the module table of ARCHITECTURE.md true: who may know whom. */
class ModuleTableTest {

    private static final JavaClasses OURS = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("io.baton");

    private static final String PROTO = "io.baton.proto..";
    private static final String MODEL_FILES = "io.baton.model..";
    private static final String TESTING = "io.baton.testing..";
    private static final String TEXT = "io.baton.text..";
    private static final String KV_CACHE = "io.baton.kv..";
    private static final String ENGINE = "io.baton.engine..";
    private static final String TRANSFER = "io.baton.transfer..";
    private static final String ROUTING = "io.baton.routing..";
    private static final String SERVING = "io.baton.serving..";
    private static final String PREFILL = "io.baton.prefill..";
    private static final String DECODE = "io.baton.decode..";
    private static final String GATEWAY = "io.baton.gateway..";
    private static final String CLIENT = "io.baton.client..";

    private static final Map<String, List<String>> MAY_DEPEND_ON = Map.ofEntries(
            Map.entry(PROTO, List.of()),
            Map.entry(MODEL_FILES, List.of()),
            Map.entry(TESTING, List.of(MODEL_FILES)),
            Map.entry(TEXT, List.of(MODEL_FILES)),
            Map.entry(KV_CACHE, List.of()),
            Map.entry(ENGINE, List.of(MODEL_FILES, KV_CACHE)),
            Map.entry(TRANSFER, List.of(PROTO, KV_CACHE)),
            Map.entry(ROUTING, List.of(KV_CACHE)),
            Map.entry(SERVING, List.of(PROTO, KV_CACHE)),
            Map.entry(PREFILL, List.of(PROTO, MODEL_FILES, TEXT, KV_CACHE, ENGINE, TRANSFER, ROUTING, SERVING)),
            Map.entry(DECODE, List.of(PROTO, MODEL_FILES, TEXT, KV_CACHE, ENGINE, TRANSFER, ROUTING, SERVING)),
            Map.entry(GATEWAY, List.of(PROTO, MODEL_FILES, TEXT, KV_CACHE, ROUTING, SERVING)),
            Map.entry(CLIENT, List.of(PROTO)));

    @TestFactory
    Stream<DynamicTest> everyModuleKnowsOnlyWhatTheTableAllows() {
        return MAY_DEPEND_ON.entrySet().stream()
                .map(row -> DynamicTest.dynamicTest(row.getKey(), () -> {
                    String[] allowed = Stream.concat(Stream.of(row.getKey()), row.getValue().stream())
                            .toArray(String[]::new);
                    DescribedPredicate<com.tngtech.archunit.core.domain.JavaClass> foreign =
                            resideInAnyPackage("io.baton..").and(DescribedPredicate.not(resideInAnyPackage(allowed)));
                    noClasses()
                            .that()
                            .resideInAPackage(row.getKey())
                            .should()
                            .dependOnClassesThat(foreign.as("reside outside " + Arrays.toString(allowed)))
                            .check(OURS);
                }));
    }

    @Test
    void protobufAndGrpcStopAtTheServiceEdge() {
        noClasses()
                .that()
                .resideInAnyPackage(MODEL_FILES, TEXT, KV_CACHE, ENGINE, ROUTING)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage("io.grpc..", "com.google.protobuf..")
                .check(OURS);
    }

    @Test
    void nothingThatIsShippedDependsOnWhatTestsShare() {
        noClasses()
                .that()
                .resideOutsideOfPackage(TESTING)
                .should()
                .dependOnClassesThat()
                .resideInAPackage(TESTING)
                .check(OURS);
    }

    @Test
    void packagesOfAModuleDoNotDependOnEachOtherInCircles() {
        SlicesRuleDefinition.slices()
                .matching("io.baton.(*)..")
                .should()
                .beFreeOfCycles()
                .check(OURS);
    }

    @Test
    void noClassIsNamedAfterNothing() {
        classes()
                .that()
                .resideOutsideOfPackage(PROTO)
                .should()
                .haveNameNotMatching(".*(Util|Utils|Helper|Manager|Impl|Data|Info)$")
                .check(OURS);
    }
}
