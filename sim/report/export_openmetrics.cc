// metrics.csv in the OpenMetrics text format, with simulated time as time stamps.
#include <charconv>
#include <optional>
#include <string>
#include <vector>

#include "base/printable.h"
#include "report/export.h"
#include "report/prometheus_names.h"
#include "report/words.h"

namespace sim::report {
namespace {

// "12.345" of seconds.
std::optional<std::int64_t> millis_of(const std::string& seconds) {
  const std::size_t point = seconds.find('.');
  if (point == std::string::npos || seconds.size() != point + 4) return std::nullopt;
  const std::string digits = seconds.substr(0, point) + seconds.substr(point + 1);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

}  // namespace

PrometheusName prometheus_name(const std::string& column) {
  const std::size_t bracket = column.find('[');
  PrometheusName name;
  name.family = column.substr(0, bracket);
  if (!name.family.starts_with("kafka_")) name.family = "kraftsim_" + name.family;
  if (bracket == std::string::npos) return name;
  std::string label;
  for (const char c : printable(column.substr(bracket + 1, column.size() - bracket - 2))) {
    if (c == '"' || c == '\\') label += '\\';
    label += c;
  }
  name.labels = "{consumergroup=\"" + label + "\"}";
  return name;
}

Result<std::string> openmetrics_of(const ExportRequest& request) {
  auto csv = CsvReader::open(request.run / "metrics.csv");
  if (!csv) return csv.problems();
  std::vector<PrometheusName> families;
  for (std::size_t column = 1; column < csv->header().size(); ++column)
    families.push_back(prometheus_name(csv->header()[column]));
  std::vector<std::string> samples(families.size());
  while (csv->next()) {
    const std::optional<std::int64_t> at = millis_of(csv->cells()[0]);
    if (!at) return problem_with(request.run / "metrics.csv", "\"" + csv->cells()[0] + "\" is no time");
    const auto& window = request.window;
    if (window && (*at < millis(window->first) || *at >= millis(window->second))) continue;
    for (std::size_t i = 0; i < families.size(); ++i) {
      const std::string& value = csv->cells()[i + 1];
      if (!value.empty())
        samples[i] += families[i].family + families[i].labels + " " + value + " " + csv->cells()[0] + "\n";
    }
  }
  if (csv->problem()) return *csv->problem();
  std::string text;
  for (std::size_t i = 0; i < families.size(); ++i) {
    bool is_first = true;  // of its family; one family's samples stand together
    for (std::size_t before = 0; before < i; ++before)
      is_first = is_first && families[before].family != families[i].family;
    if (!is_first) continue;
    text += "# TYPE " + families[i].family + " gauge\n";
    for (std::size_t j = i; j < families.size(); ++j) {
      if (families[j].family == families[i].family) text += samples[j];
    }
  }
  return text + "# EOF\n";
}

}  // namespace sim::report
