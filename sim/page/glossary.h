#pragma once

#include <string>

namespace sim::page {

// The terms that a page uses, each in a sentence.
std::string glossary_markup();

}  // namespace sim::page
