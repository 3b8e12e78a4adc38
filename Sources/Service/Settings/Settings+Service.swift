// SPDX-License-Identifier: Apache-2.0

import Postgres
import Wording

/// Where `PGSERVICE` names a server, what our own settings leave open is said by that.
extension Settings {
    static func service(_ environment: [String: String]) throws(SettingsError) -> NamedService? {
        guard let name = environment["PGSERVICE"], !name.isEmpty else { return nil }
        guard let service = NamedService() else { throw badService(name) }
        return service
    }

    static func port(of service: NamedService?) throws(SettingsError) -> Int {
        guard let text = service?.port else { return 5432 }
        // Of several hosts, which libpq takes with as many ports, one is needed: the stack's lock is in one server.
        guard let port = Int(text), (1...65_535).contains(port) else {
            throw .badValue(
                variable: "port (PGSERVICE)", shown: text, allowed: BilingualText(zh: "1 到 65535", en: "1 to 65535"))
        }
        return port
    }

    private static func badService(_ name: String) -> SettingsError {
        .badValue(
            variable: "PGSERVICE", shown: name,
            allowed: BilingualText(
                zh: "PGSERVICEFILE、~/.pg_service.conf 或系统的 pg_service.conf 中的服务名，且该文件没有错误",
                en:
                    "a service that stands in PGSERVICEFILE, ~/.pg_service.conf or the system's pg_service.conf, without a fault in it"
            ))
    }
}
