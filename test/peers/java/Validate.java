import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.SingleValidationMessage;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;

/**
 * Judges FHIR R4 resources by the HAPI validator, without a network. The arguments are folders of StructureDefinitions,
 * ValueSets and CodeSystems, which it knows beside R4's own. A line of stdin is a resource, held to R4 and to its
 * meta.profile; each is answered by a line of stdout: a JSON array of {severity, at, id, message}.
 */
public final class Validate {
  private static final String DEFINITIONS = "{StructureDefinition,ValueSet,CodeSystem}-*.json";

  public static void main(String[] folders) throws IOException {
    PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    // What the libraries print is no answer.
    System.setOut(System.err);
    FhirValidator validator = validatorKnowing(folders);
    ObjectMapper json = new ObjectMapper();
    BufferedReader resources = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = resources.readLine(); line != null; line = resources.readLine()) {
      List<Map<String, String>> findings = new ArrayList<>();
      for (SingleValidationMessage message : validator.validateWithResult(line).getMessages()) {
        findings.add(findingOf(message));
      }
      answers.println(json.writeValueAsString(findings));
    }
  }

  private static Map<String, String> findingOf(SingleValidationMessage message) {
    Map<String, String> finding = new LinkedHashMap<>();
    finding.put("severity", message.getSeverity().getCode());
    finding.put("at", message.getLocationString());
    finding.put("id", message.getMessageId());
    finding.put("message", message.getMessage());
    return finding;
  }

  private static FhirValidator validatorKnowing(String[] folders) throws IOException {
    FhirContext context = FhirContext.forR4();
    PrePopulatedValidationSupport known = new PrePopulatedValidationSupport(context);
    for (String folder : folders) {
      try (DirectoryStream<Path> files = Files.newDirectoryStream(Path.of(folder), DEFINITIONS)) {
        for (Path file : files) known.addResource(context.newJsonParser().parseResource(Files.readString(file)));
      }
    }
    ValidationSupportChain chain = new ValidationSupportChain(
      new DefaultProfileValidationSupport(context),
      known,
      new CommonCodeSystemsTerminologyService(context),
      new InMemoryTerminologyServerValidationSupport(context),
      new SnapshotGeneratingValidationSupport(context)
    );
    return context.newValidator().registerValidatorModule(new FhirInstanceValidator(chain));
  }
}
