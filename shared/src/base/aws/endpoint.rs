//! The addresses of AWS services.

/// The domain of each partition, by the start of its regions' names. All other regions
/// belong to the commercial partition or to GovCloud, which share a domain.
const DOMAINS: [(&str, &str); 6] = [
    ("cn-", "amazonaws.com.cn"),
    ("eusc-", "amazonaws.eu"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("us-isof-", "csp.hci.ic.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
];

/// Returns the address of `service` in `region`, without a path.
pub fn endpoint(service: &str, region: &str) -> String {
    let known = DOMAINS.iter().find(|(start, _)| region.starts_with(start));
    let domain = known.map_or("amazonaws.com", |(_, domain)| domain);
    format!("https://{service}.{region}.{domain}")
}
