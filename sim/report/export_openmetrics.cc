// metrics.csv in the OpenMetrics text format, with simulated time as time stamps.
#include <string>
#include <vector>

#include "report/export.h"

namespace sim::report {
namespace {

struct Family {
  std::string name;
  std::string labels;  // {consumergroup="payment"}, or nothing
};

// kafka_consumergroup_lag[payment] -> kafka_consumergroup_lag{consumergroup="payment"}; what production does
// not have is ours by its prefix.
Family family_of(const std::string& column) {
  const std::size_t bracket = column.find('[');
  Family family;
  family.name = column.substr(0, bracket);
  if (family.name.rfind("kafka_", 0) != 0) family.name = "kraftsim_" + family.name;
  if (bracket == std::string::npos) return family;
  std::string label;
  for (const char c : column.substr(bracket + 1, column.size() - bracket - 2)) {
    if (c == '"' || c == '\\') label += '\\';
    label += c;
  }
  family.labels = "{consumergroup=\"" + label + "\"}";
  return family;
}

}  // namespace

Result<std::string> openmetrics_of(const std::filesystem::path& run) {
  auto csv = CsvReader::open(run / "metrics.csv");
  if (!csv) return csv.problems();
  std::vector<Family> families;
  for (std::size_t column = 1; column < csv->header().size(); ++column)
    families.push_back(family_of(csv->header()[column]));
  std::vector<std::string> samples(families.size());
  while (csv->next()) {
    for (std::size_t i = 0; i < families.size(); ++i) {
      const std::string& value = csv->cells()[i + 1];
      if (!value.empty())
        samples[i] += families[i].name + families[i].labels + " " + value + " " + csv->cells()[0] + "\n";
    }
  }
  if (csv->problem()) return *csv->problem();
  std::string text;
  for (std::size_t i = 0; i < families.size(); ++i) {
    bool is_first = true;  // of its family; one family's samples stand together
    for (std::size_t before = 0; before < i; ++before)
      is_first = is_first && families[before].name != families[i].name;
    if (!is_first) continue;
    text += "# TYPE " + families[i].name + " gauge\n";
    for (std::size_t j = i; j < families.size(); ++j) {
      if (families[j].name == families[i].name) text += samples[j];
    }
  }
  return text + "# EOF\n";
}

}  // namespace sim::report
