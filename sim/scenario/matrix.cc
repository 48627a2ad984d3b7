#include "scenario/matrix.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "scenario/files.h"
#include "scenario/tree.h"
#include "scenario/walk.h"

namespace sim::scenario {
namespace {

// The last level of a path and a value, as part of a name: "acks-1".
std::string short_name(const std::string& path, const std::string& value) {
  const std::string last = path.substr(path.rfind('.') + 1);
  std::string name;
  for (const char c : last + "-" + value) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                          c == '-' || c == '_' || c == '.';
    name += is_plain ? c : '-';
  }
  return name;
}

std::vector<Configuration> combined(const Value& root, Report& report) {
  std::vector<Configuration> all{Configuration{}};
  for (const Entry& axis : root.entries) {
    if (!axis.value.is_list() || axis.value.items.empty()) {
      report.error(axis.value.place, axis.key + " must be a list of values, as the first key is",
                   "such as " + axis.key + ": [1, all]");
      return {};
    }
    std::vector<Configuration> longer;
    for (const Configuration& before : all) {
      for (const Value& value : axis.value.items) {
        if (!value.is_scalar()) {
          report.error(value.place, axis.key + ": " + describe(value) + " is no value for a key");
          return {};
        }
        Configuration one = before;
        one.name += (one.name.empty() ? "" : "_") + short_name(axis.key, value.text);
        one.overrides.push_back({axis.key, value.text});
        longer.push_back(std::move(one));
      }
    }
    all = std::move(longer);
    if (all.size() > kMostConfigurations) {
      report.error(axis.key_place,
                   "these are more than " + std::to_string(kMostConfigurations) + " combinations");
      return {};
    }
  }
  return all;
}

std::vector<Configuration> named(const Value& root, Report& report) {
  std::vector<Configuration> all;
  for (const Entry& entry : root.entries) {
    if (!is_name(entry.key)) {
      report.error(entry.key_place, "\"" + entry.key + "\" is no name for a configuration");
      continue;
    }
    if (!entry.value.is_map() && entry.value.kind != Value::Kind::null) {
      report.error(entry.value.place, entry.key + " must be a map of settings, as the first key is",
                   "such as " + entry.key + ": {clients.order-service.config.acks: 1}, or {}");
      continue;
    }
    Configuration one{entry.key, {}};
    for (const Entry& setting : entry.value.entries) {
      if (!setting.value.is_scalar()) {
        report.error(setting.value.place, entry.key + "." + setting.key + ": " + describe(setting.value) +
                                              " is no value for a key");
        continue;
      }
      one.overrides.push_back({setting.key, setting.value.text});
    }
    all.push_back(std::move(one));
  }
  return all;
}

}  // namespace

Result<std::vector<Configuration>> read_matrix(const std::string& file) {
  std::string text, why_not;
  if (!read_file(file, kMaxFileBytes, text, why_not)) {
    Problem problem;
    problem.file = file;
    problem.message = why_not;
    return problem;
  }
  Report report;
  const int source = report.add_source(file, text);
  const std::optional<Value> root = read_yaml(text, source, report);
  if (!root) return report.take();
  if (!root->is_map() || root->entries.empty()) {
    report.error(root->place.line == 0 ? Place{source} : root->place,
                 "a matrix is a map of configurations, not " + describe(*root),
                 "such as acks-1: {clients.order-service.config.acks: 1}");
    return report.take();
  }
  std::vector<Configuration> all =
      root->entries.front().value.is_list() ? combined(*root, report) : named(*root, report);
  std::set<std::string> names;
  for (const Configuration& one : all) {
    if (!names.insert(one.name).second)
      report.error(root->place, "two of the configurations are called " + one.name, "name them yourself");
  }
  if (report.failed()) return report.take();
  return Result<std::vector<Configuration>>(std::move(all), report.take());
}

}  // namespace sim::scenario
