"""Time zones of the states of large countries. Plain data.

Own compilation from the IANA time zone database (comments of its zone tables): for each
country with several clocks, zone → codes of its states (ISO 3166-2, without the country, as
Odoo keeps them). A state with two clocks is listed under the one by which most of its people
live. Countries whose other states all keep the main zone list the exceptions only.
"""

_ZONES = {
    "AU": {
        "Australia/Adelaide": "SA",
        "Australia/Brisbane": "QLD",
        "Australia/Darwin": "NT",
        "Australia/Hobart": "TAS",
        "Australia/Melbourne": "VIC",
        "Australia/Perth": "WA",
        "Australia/Sydney": "ACT NSW",
    },
    "BR": {
        "America/Araguaina": "TO",
        "America/Bahia": "BA",
        "America/Belem": "AP PA",
        "America/Boa_Vista": "RR",
        "America/Campo_Grande": "MS",
        "America/Cuiaba": "MT",
        "America/Fortaleza": "CE MA PB PI RN",
        "America/Maceio": "AL SE",
        "America/Manaus": "AM",
        "America/Porto_Velho": "RO",
        "America/Recife": "PE",
        "America/Rio_Branco": "AC",
        "America/Sao_Paulo": "DF ES GO MG PR RJ RS SC SP",
    },
    "CA": {
        "America/Edmonton": "AB NT",
        "America/Halifax": "NS PE",
        "America/Iqaluit": "NU",
        "America/Moncton": "NB",
        "America/Regina": "SK",
        "America/St_Johns": "NL",
        "America/Toronto": "ON QC",
        "America/Vancouver": "BC",
        "America/Whitehorse": "YT",
        "America/Winnipeg": "MB",
    },
    "CL": {"America/Punta_Arenas": "CL-AI CL-MA"},
    "ES": {"Atlantic/Canary": "GC TF"},
    "ID": {
        "Asia/Jakarta": "AC BB BE BT JA JB JI JK JT KR LA RI SB SS SU YO",
        "Asia/Jayapura": "MA MU PA PB PD PE PS PT",
        "Asia/Makassar": "BA GO KI KS KU NB NT SA SG SN SR ST",
        "Asia/Pontianak": "KB KT",
    },
    "MN": {"Asia/Hovd": "02 16 17"},
    "MX": {
        "America/Cancun": "ROO",
        "America/Chihuahua": "CHH",
        "America/Hermosillo": "SON",
        "America/Mazatlan": "BCS NAY SIN",
        "America/Merida": "CAM YUC",
        "America/Mexico_City": "AGU CHP CMX COL GRO GUA HID JAL MEX MIC MOR OAX PUE QUE SLP TAB "
        "TLA VER ZAC",
        "America/Monterrey": "COA DUR NLE TAM",
        "America/Tijuana": "BCN",
    },
    "PT": {"Atlantic/Azores": "20", "Atlantic/Madeira": "30"},
    "RU": {
        "Asia/Anadyr": "CHU",
        "Asia/Barnaul": "AL ALT",
        "Asia/Chita": "ZAB",
        "Asia/Irkutsk": "BU IRK",
        "Asia/Kamchatka": "KAM",
        "Asia/Krasnoyarsk": "KK KYA TY",
        "Asia/Magadan": "MAG",
        "Asia/Novokuznetsk": "KEM",
        "Asia/Novosibirsk": "NVS",
        "Asia/Omsk": "OMS",
        "Asia/Sakhalin": "SAK",
        "Asia/Tomsk": "TOM",
        "Asia/Vladivostok": "KHA PRI YEV",
        "Asia/Yakutsk": "AMU SA",
        "Asia/Yekaterinburg": "BA CHE KGN KHM ORE PER SVE TYU YAN",
        "Europe/Astrakhan": "AST",
        "Europe/Kaliningrad": "KGD",
        "Europe/Kirov": "KIR",
        "Europe/Moscow": "AD ARK BEL BRY CE CU DA IN IVA KB KC KDA KL KLU KO KOS KR KRS LEN LIP "
        "ME MO MOS MOW MUR NEN NGR NIZ ORL PNZ PSK ROS RYA SE SMO SPE STA TA TAM TUL TVE VLA VLG "
        "VOR YAR",
        "Europe/Samara": "SAM UD",
        "Europe/Saratov": "SAR",
        "Europe/Ulyanovsk": "ULY",
        "Europe/Volgograd": "VGG",
    },
    "US": {
        "America/Anchorage": "AK",
        "America/Boise": "ID",
        "America/Chicago": "AL AR IA IL KS LA MN MO MS ND NE OK SD TN TX WI",
        "America/Denver": "CO MT NM UT WY",
        "America/Detroit": "MI",
        "America/Indiana/Indianapolis": "IN",
        "America/Los_Angeles": "CA NV OR WA",
        "America/New_York": "CT DC DE FL GA KY MA MD ME NC NH NJ NY OH PA RI SC VA VT WV",
        "America/Phoenix": "AZ",
        "America/Puerto_Rico": "PR",
        "America/St_Thomas": "VI",
        "Pacific/Guam": "GU",
        "Pacific/Honolulu": "HI",
        "Pacific/Pago_Pago": "AS",
        "Pacific/Saipan": "MP",
    },
}

# (country code, state code) → name of a time zone
STATE_ZONES = {
    (country, state): zone
    for country, zones in _ZONES.items()
    for zone, states in zones.items()
    for state in states.split()
}
