// SPDX-License-Identifier: MIT
// Stands in for libproxy, which distributions build QtNetwork with. The real one brings a desktop's
// settings, a script interpreter, an HTTP client and two TLS libraries into every process: a third
// of isol8's start and 4 MB of a server. This one knows the proxies that the environment names, and
// is loaded before QtNetwork asks for the other. The interface is that of libproxy 0.5's proxy.h.
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

namespace {

/// Of a variable in lower case, else in upper case.
std::string variable(std::string name)
{
    if (const char* value = std::getenv(name.c_str()))
        return value;
    for (char& character : name)
        character = char(character >= 'a' && character <= 'z' ? character - 'a' + 'A' : character);
    const char* value = std::getenv(name.c_str());
    return value ? value : "";
}

std::string_view hostOf(std::string_view url)
{
    if (const auto scheme = url.find("://"); scheme != std::string_view::npos)
        url.remove_prefix(scheme + 3);
    url = url.substr(0, url.find_first_of("/?#"));
    if (const auto user = url.rfind('@'); user != std::string_view::npos)
        url.remove_prefix(user + 1);
    if (url.starts_with('['))
        return url.substr(1, url.find(']') - 1);
    return url.substr(0, url.find(':'));
}

/// Whether an entry of no_proxy means @p host: it, a domain above it, or all.
bool means(std::string_view entry, std::string_view host)
{
    if (entry == "*")
        return true;
    if (entry.starts_with('.'))
        entry.remove_prefix(1);
    if (entry.empty() || !host.ends_with(entry))
        return false;
    return host.size() == entry.size() || host[host.size() - entry.size() - 1] == '.';
}

bool isExempt(std::string_view host)
{
    const auto list = variable("no_proxy");
    std::string_view rest = list;
    while (!rest.empty()) {
        const auto end = rest.find_first_of(", ");
        if (means(rest.substr(0, end), host))
            return true;
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
    return false;
}

std::string proxyFor(std::string_view url)
{
    if (isExempt(hostOf(url)))
        return "direct://";
    auto proxy = variable(std::string(url.substr(0, url.find(':'))) + "_proxy");
    if (proxy.empty())
        proxy = variable("all_proxy");
    if (proxy.empty())
        return "direct://";
    return proxy.contains("://") ? proxy : "http://" + proxy;
}

} // namespace

struct px_proxy_factory { };

extern "C" {

px_proxy_factory* px_proxy_factory_new()
{
    static px_proxy_factory factory;
    return &factory;
}

/// A list that ends with null, for px_proxy_factory_free_proxies().
char** px_proxy_factory_get_proxies(px_proxy_factory* /*factory*/, const char* url)
{
    auto** list = static_cast<char**>(std::calloc(2, sizeof(char*)));
    if (list)
        list[0] = ::strdup(proxyFor(url).c_str());
    return list;
}

void px_proxy_factory_free_proxies(char** proxies)
{
    for (char** proxy = proxies; proxy && *proxy; ++proxy)
        std::free(*proxy);
    std::free(proxies);
}

void px_proxy_factory_free(px_proxy_factory* /*factory*/) { }

} // extern "C"
