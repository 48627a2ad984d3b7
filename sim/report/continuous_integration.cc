#include "report/continuous_integration.h"

#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/human.h"
#include "report/json.h"
#include "report/words.h"

namespace sim::report {
namespace {

using SummaryJson = nlohmann::json;

Result<SummaryJson> read_summary(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "summary.json";
  std::ifstream in(file);
  if (!in) return problem_with(file, "cannot be read", "the folder of a run or a sweep has it");
  SummaryJson json = SummaryJson::parse(in, nullptr, false);
  const std::string schema = json.is_object() ? json.value("schema", "") : "";
  if (schema != "kraftsim-summary/1" && schema != "kraftsim-sweep-summary/1")
    return problem_with(file,
                        json.is_discarded() ? "is damaged" : "is not a summary of this version of kraftsim");
  return json;
}

std::string text_at(const SummaryJson& json, const char* key) {
  return json.is_object() && json.contains(key) && json[key].is_string() ? json[key].get<std::string>() : "";
}
std::int64_t number_at(const SummaryJson& json, const char* key) {
  return json.is_object() && json.contains(key) && json[key].is_number_integer()
             ? json[key].get<std::int64_t>()
             : 0;
}
const SummaryJson& child(const SummaryJson& json, const char* key) {
  static const SummaryJson kNothing;
  return json.is_object() && json.contains(key) ? json[key] : kNothing;
}

std::string measured_text(const SummaryJson& expectation) {
  const SummaryJson& value = child(expectation, "measured");
  if (!value.is_number_integer()) return "nothing was measured";
  const auto measured = value.get<std::int64_t>();
  const std::string unit = text_at(expectation, "unit");
  if (unit == "ns") return human_duration(measured);
  if (unit == "milli_per_s") return human_rate(measured);
  return measured < 0 ? std::to_string(measured) : human_count(static_cast<std::uint64_t>(measured));
}

std::string what_is_expected(const SummaryJson& expectation) {
  std::string what = text_at(expectation, "metric");
  for (const char* key : {"of", "fault"}) {
    if (const std::string more = text_at(expectation, key); !more.empty())
      what += (key[0] == 'o' ? " of " : " after ") + more;
  }
  if (const std::string statistic = text_at(expectation, "statistic"); statistic != "value")
    what += " " + statistic;
  if (const std::string window = text_at(expectation, "window"); !window.empty() && window != "all")
    what += " (" + window + ")";
  return what;
}

std::string outcome_text(const SummaryJson& expectation) {
  std::string text = what_is_expected(expectation) + " is " + measured_text(expectation) + ", expected " +
                     text_at(expectation, "expected");
  if (const std::string why = text_at(expectation, "why"); !why.empty()) text += ": " + why;
  return text;
}

struct Finding {
  std::string name;
  std::string level;  // empty: it held; error, warning
  std::string message;
  int line = 0;  // of the scenario
};

// "shop.yaml:12" -> 12
int line_of(const std::string& source) {
  const std::size_t colon = source.rfind(':');
  int line = 0;
  if (colon != std::string::npos)
    std::from_chars(source.data() + colon + 1, source.data() + source.size(), line);
  return line;
}

std::vector<Finding> findings_of_run(const SummaryJson& summary) {
  std::vector<Finding> findings;
  for (const SummaryJson& one : child(summary, "expectations")) {
    const std::string verdict = text_at(one, "verdict");
    findings.push_back({text_at(one, "id"),
                        verdict == "ok"       ? ""
                        : verdict == "failed" ? "error"
                                              : "warning",
                        outcome_text(one), line_of(text_at(one, "source"))});
  }
  Finding invariants{"invariants", "", "every invariant held", 0};
  const SummaryJson& violations = child(child(summary, "invariants"), "violations");
  for (const SummaryJson& one : violations) {
    invariants.level = "error";
    invariants.message = "invariant " + text_at(one, "invariant") + " was broken " +
                         std::to_string(number_at(one, "times")) + " times, first at " +
                         human_duration(number_at(one, "first_at_ns")) + ": " + text_at(one, "first");
  }
  findings.push_back(invariants);
  for (const SummaryJson& fault : child(summary, "faults")) {  // one that touched nothing decides nothing
    std::int64_t effects = 0;
    for (const SummaryJson& strike : child(fault, "strikes")) effects += number_at(strike, "effects");
    if (effects == 0)
      findings.push_back({"fault " + text_at(fault, "name"), "warning",
                          "fault " + text_at(fault, "name") + " touched nothing", 0});
  }
  return findings;
}

std::vector<Finding> findings_of_sweep(const SummaryJson& summary) {
  std::vector<Finding> findings;
  const SummaryJson& configurations = child(summary, "configurations");
  for (std::size_t i = 0; i < configurations.size(); ++i) {
    const SummaryJson& one = configurations[i];
    const std::string name = text_at(one, "name");
    const std::int64_t failed = number_at(one, "failed") + number_at(one, "crashed");
    const std::int64_t unsure = number_at(one, "inconclusive");
    Finding finding{name.empty() ? "as it is" : name,
                    failed > 0   ? "error"
                    : unsure > 0 ? "warning"
                                 : "",
                    "", 0};
    finding.message = std::to_string(failed) + " of " + std::to_string(number_at(one, "runs")) +
                      " runs failed, " + std::to_string(unsure) + " are inconclusive";
    for (const char* kind : {"failures", "troubles", "inconclusive"}) {
      for (const SummaryJson& group : child(summary, kind)) {
        if (number_at(group, "configuration") != static_cast<std::int64_t>(i)) continue;
        const std::string what =
            text_at(group, "what").empty() ? text_at(group, "note") : text_at(group, "what");
        finding.message += "\n" + std::to_string(number_at(group, "runs")) + " runs: " + what +
                           ", first with seed " + std::to_string(number_at(group, "smallest_seed"));
      }
    }
    findings.push_back(std::move(finding));
  }
  return findings;
}

std::vector<Finding> findings_of(const SummaryJson& summary) {
  return text_at(summary, "schema") == "kraftsim-summary/1" ? findings_of_run(summary)
                                                            : findings_of_sweep(summary);
}

std::string annotations(const SummaryJson& summary, const std::string& file) {
  std::string text;
  for (const Finding& one : findings_of(summary)) {
    if (!one.level.empty()) text += github_command(one.level.c_str(), file, one.line, one.name, one.message);
  }
  return text;
}

// As GitHub's toolkit escapes them: a message, or a property, in which , and : divide as well.
std::string escaped_for_github(const std::string& text, bool is_property) {
  std::string safe;
  for (const char c : text) {
    if (c == '%')
      safe += "%25";
    else if (c == '\r')
      safe += "%0D";
    else if (c == '\n')
      safe += "%0A";
    else if (is_property && c == ':')
      safe += "%3A";
    else if (is_property && c == ',')
      safe += "%2C";
    else
      safe += c;
  }
  return safe;
}

// For text and attributes; XML 1.0 has no place for control characters.
std::string escaped_for_xml(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    if (c == '&')
      safe += "&amp;";
    else if (c == '<')
      safe += "&lt;";
    else if (c == '>')
      safe += "&gt;";
    else if (c == '"')
      safe += "&quot;";
    else if (c == '\n')
      safe += "&#10;";
    else if (static_cast<unsigned char>(c) >= 0x20 || c == '\t')
      safe += c;
  }
  return safe;
}

}  // namespace

std::string github_command(const char* level, const std::string& file, int line, const std::string& title,
                           const std::string& message) {
  std::string command = std::string("::") + level + " ";
  if (!file.empty()) command += "file=" + escaped_for_github(file, true) + ",";
  if (line > 0) command += "line=" + std::to_string(line) + ",";
  return command + "title=" + escaped_for_github("kraftsim: " + title, true) +
         "::" + escaped_for_github(message, false) + "\n";
}

std::string github_annotations(const judge::Summary& summary, const std::string& file) {
  return annotations(SummaryJson::parse(to_json(summary)), file);
}

std::string github_annotations(const Problems& problems) {
  std::string text;
  for (const Problem& one : problems) {
    text += github_command(one.warning ? "warning" : "error", one.file, one.line, "scenario",
                           one.message + (one.hint.empty() ? "" : "\n" + one.hint));
  }
  return text;
}

Result<std::string> github_of(const std::filesystem::path& folder) {
  const auto summary = read_summary(folder);
  if (!summary) return summary.problems();
  return annotations(*summary, text_at(child(*summary, "scenario"), "file"));
}

Result<std::string> junit_of(const std::filesystem::path& folder) {
  const auto summary = read_summary(folder);
  if (!summary) return summary.problems();
  const std::vector<Finding> findings = findings_of(*summary);
  const std::string scenario = text_at(child(*summary, "scenario"), "name");
  const SummaryJson& seed = child(*summary, "seed");
  const std::string suite =
      scenario + (seed.is_number() ? ", seed " + seed.dump() : ", seeds " + text_at(*summary, "seeds"));
  std::size_t failures = 0;
  std::size_t errors = 0;
  std::string cases;
  for (const Finding& one : findings) {
    failures += one.level == "error" ? 1 : 0;
    errors += one.level == "warning" ? 1 : 0;
    cases += "    <testcase classname=\"" + escaped_for_xml(scenario) + "\" name=\"" +
             escaped_for_xml(one.name) + "\" time=\"0\"";
    if (one.level.empty()) {
      cases += "/>\n";
      continue;
    }
    const char* const tag = one.level == "error" ? "failure" : "error";
    const std::string first = one.message.substr(0, one.message.find('\n'));
    cases += std::string(">\n      <") + tag + " type=\"" +
             (one.level == "error" ? "failed" : "inconclusive") + "\" message=\"" + escaped_for_xml(first) +
             "\">" + escaped_for_xml(one.message);
    if (const std::string repro = text_at(*summary, "repro"); !repro.empty())
      cases += "&#10;" + escaped_for_xml(repro);
    cases += std::string("</") + tag + ">\n    </testcase>\n";
  }
  const std::string counts = "tests=\"" + std::to_string(findings.size()) + "\" failures=\"" +
                             std::to_string(failures) + "\" errors=\"" + std::to_string(errors) + "\"";
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites " + counts +
         " time=\"0\">\n  <testsuite name=\"" + escaped_for_xml(suite) + "\" " + counts +
         " skipped=\"0\" time=\"0\">\n" + cases + "  </testsuite>\n</testsuites>\n";
}

}  // namespace sim::report
