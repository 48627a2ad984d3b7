#pragma once

#include <string>
#include <vector>

// The charts that `kraftsim plot` draws of a run, and what their files below charts/ are called.
namespace sim::report {

inline const std::vector<std::string>& chart_names() {
  static const std::vector<std::string> names{
      "incident_timeline", "percentile_spectrum", "stage_breakdown", "lag",
      "heat_map",          "load_knee",           "contact_sheet"};
  return names;
}

// Those that are drawn if none is asked for by name.
inline std::vector<std::string> usual_charts() {
  const std::vector<std::string>& all = chart_names();
  return {all.begin(), all.begin() + 5};
}

inline const std::vector<std::string>& chart_formats() {
  static const std::vector<std::string> formats{"png", "svg", "pdf"};
  return formats;
}

inline std::vector<std::string> chart_files() {
  std::vector<std::string> files;
  for (const std::string& name : chart_names()) {
    for (const std::string& format : chart_formats()) files.push_back(name + "." + format);
  }
  return files;
}

}  // namespace sim::report
