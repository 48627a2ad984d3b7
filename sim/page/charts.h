#pragma once

#include <string>

#include "page/documents.h"

// The drawings of a page, each with a table of what it shows. Empty if there is nothing to draw it from.
namespace sim::page {

struct Figure {
  std::string finding;  // its title says what was found
  std::string caption;  // how to read it
  std::string markup;   // SVG and table
};

// The class of the style sheet that a service has in every chart.
std::string service_style(const Documents& run, const std::string& service);

// Latency, outcomes, lag, who leads: over time, with the faults above all and through all.
Figure incident_timeline(const Documents& run);
// Each latency out to the rarest orders.
Figure percentile_spectrum(const Documents& run);
// The end-to-end latencies of two runs in one drawing, named as given.
Figure compared_spectra(const Documents& a, const std::string& name_a, const Documents& b,
                        const std::string& name_b);
// Where the time of quick and of slow orders goes.
Figure stage_breakdown(const Documents& run);

}  // namespace sim::page
