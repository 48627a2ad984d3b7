// A file for `promtool test rules`: the series of metrics.csv, and for each alert of a rules file the claim
// that it never fires. What promtool says to that is when which alert would have fired, and with which
// labels.
#include <algorithm>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "base/human.h"
#include "report/export.h"
#include "report/prometheus_names.h"
#include "report/words.h"

namespace sim::report {
namespace {

constexpr std::int64_t kMostChecks = 240;  // of one alert
constexpr std::int64_t kShortestStep = 5;  // seconds between two of them

// The names of a rules file's alerts: what stands behind "alert:", quotes taken off.
Result<std::vector<std::string>> alerts_of(const std::filesystem::path& rules) {
  std::ifstream in(rules);
  if (!in)
    return problem_with(rules, "cannot be read", "--rules FILE is a file of Prometheus alerting rules");
  std::vector<std::string> alerts;
  std::string line;
  while (std::getline(in, line)) {
    constexpr std::string_view kKey = "alert:";
    std::size_t at = line.find_first_not_of(" \t-");
    if (at == std::string::npos || line.compare(at, kKey.size(), kKey) != 0) continue;
    at = line.find_first_not_of(" \t", at + kKey.size());
    if (at == std::string::npos) continue;
    std::string name = line.substr(at);
    if (name.front() == '"' || name.front() == '\'') {
      name = name.substr(1, name.find(name.front(), 1) - 1);
    } else {
      name = name.substr(0, name.find(" #"));
      name.resize(name.find_last_not_of(" \t\r") + 1);
    }
    if (!name.empty() && std::find(alerts.begin(), alerts.end(), name) == alerts.end())
      alerts.push_back(name);
  }
  if (alerts.empty())
    return problem_with(rules, "has no alert", "an alerting rule has a line such as  - alert: LagIsHigh");
  return alerts;
}

std::string in_yaml_quotes(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("''") : std::string(1, c);
  return quoted + "'";
}

}  // namespace

Result<std::string> promtool_of(const ExportRequest& request) {
  if (request.rules.empty())
    return problem_with(request.run, "say which alerts: --rules FILE", "a file of Prometheus alerting rules");
  const auto alerts = alerts_of(request.rules);
  if (!alerts) return alerts.problems();
  auto csv = CsvReader::open(request.run / "metrics.csv");
  if (!csv) return csv.problems();
  // promtool's samples are as far apart as the interval, from 0 on; ours stand at 1 s, 2 s, ...
  std::vector<std::string> values(csv->header().size(), "_");
  std::int64_t last_second = 0;
  while (csv->next()) {
    const std::string& at = csv->cells()[0];
    const std::int64_t second = whole_seconds(at);
    if (second <= last_second) continue;  // the last row may stand in the middle of a second
    for (std::size_t i = 1; i < values.size(); ++i) {
      for (std::int64_t gap = last_second + 1; gap < second; ++gap) values[i] += " _";
      values[i] += " " + (csv->cells()[i].empty() ? std::string("_") : csv->cells()[i]);
    }
    last_second = second;
  }
  if (csv->problem()) return *csv->problem();
  if (last_second == 0) return problem_with(request.run / "metrics.csv", "has no whole second");

  const std::int64_t step = std::max(kShortestStep, (last_second + kMostChecks - 1) / kMostChecks);
  std::error_code error;
  std::string text =
      "# promtool test rules FILE tells when which alert would have fired: each claim below is that none "
      "does.\n"
      "rule_files:\n  - " +
      in_yaml_quotes(std::filesystem::absolute(request.rules, error).string()) +
      "\nevaluation_interval: " + std::to_string(step) +
      "s\ntests:\n  - name: " + in_yaml_quotes(request.run.string()) +
      "\n    interval: 1s\n    input_series:\n";
  for (std::size_t i = 1; i < values.size(); ++i) {
    text += "      - series: " + in_yaml_quotes(prometheus_series(csv->header()[i])) +
            "\n        values: " + in_yaml_quotes(values[i]) + "\n";
  }
  text += "    alert_rule_test:\n";
  for (const std::string& alert : *alerts) {
    for (std::int64_t at = step; at <= last_second; at += step)
      text += "      - {eval_time: " + std::to_string(at) + "s, alertname: " + in_yaml_quotes(alert) + "}\n";
  }
  return text;
}

}  // namespace sim::report
