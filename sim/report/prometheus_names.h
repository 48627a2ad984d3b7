#pragma once

#include <string>
#include <string_view>

// Columns of metrics.csv under the names that Prometheus has for them.
namespace sim::report {

struct PrometheusName {
  std::string family;
  std::string labels;  // {consumergroup="payment"}, or nothing
};

// kafka_consumergroup_lag[payment] -> kafka_consumergroup_lag{consumergroup="payment"}; what production does
// not have is ours by its prefix.
PrometheusName prometheus_name(const std::string& column);
inline std::string prometheus_series(const std::string& column) {
  const PrometheusName name = prometheus_name(column);
  return name.family + name.labels;
}

}  // namespace sim::report
